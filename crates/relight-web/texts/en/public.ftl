### The public page and the holding page. Nothing about a site that a visitor would not see.

public-title = Service status
public-sentence = { NUMBER($lit) } of { NUMBER($total) } { $total ->
    [one] service
   *[other] services
 } { $lit ->
    [one] is online
   *[other] are online
 }.
public-sentence-dark = { NUMBER($dark) } { $dark ->
    [one] is offline
   *[other] are offline
 } as a precaution.
public-precaution = As a precaution, these services are temporarily offline while we check whether they use vulnerable software. Each will be back as soon as its check is done.
public-all-lit = No service is offline as a precaution.
public-progress = { $share } of services are online
public-sectors = By sector
public-sector-count = { NUMBER($lit) } of { NUMBER($total) } online
public-update = Update
public-column-service = Service
public-column-state = State
public-online = Online
public-offline = Offline as a precaution
public-updated = Updated
public-utc = { $date }, { $time } UTC
public-data = Open data
public-back = All sectors
public-language = Français

holding-title = Service temporarily offline
holding-text = As a precaution, this service is temporarily offline while we check whether it uses vulnerable software. It will be back as soon as the check is done.
holding-retry = Retry
holding-updates = Next update and status of services:
public-channel = Other ways to reach it:
holding-channel = Other ways to reach us:

public-alphabet = Services from A to Z
public-services = { NUMBER($count) } { $count ->
    [one] service
   *[other] services
 }
public-since = since { $since }
public-certificate = outage certificate
public-history = Last 90 days
public-history-all = All { NUMBER($count) } periods of the last 90 days
public-history-none = No service was offline as a precaution.
public-episode = Services offline as a precaution
public-episode-over = All services are online again
public-monitoring = All services are online again. We keep watching.
public-episode-open = Since { $from }, { NUMBER($services) } { $services ->
    [one] service was taken
   *[other] services were taken
 } offline as a precaution; some still are.
public-episode-closed = From { $from } to { $to }, { NUMBER($services) } { $services ->
    [one] service was taken
   *[other] services were taken
 } offline as a precaution. All are back.
public-duration = { NUMBER($hours) } h { $minutes } min

certificate-title = Certificate of service outage
certificate-text = The service “{ $service }” was taken offline as a precaution. The times below were established by probes.
certificate-from = Start
certificate-to = End
certificate-duration = Duration
certificate-issuer = Issued by
certificate-signed = This certificate is signed; its signed form is verified with the published key:
public-find = Find a service by its name
public-find-none = No service has these words in its name.
public-find-more = Only the first ones are shown: type more of the name.
public-find-online = online
public-find-offline = offline as a precaution
public-find-failed = The list cannot be read now. The letters below lead to every service.
# when
public-next = Next update: { $when }.
