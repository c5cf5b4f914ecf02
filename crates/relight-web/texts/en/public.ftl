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
holding-channel = Other ways to reach us:
