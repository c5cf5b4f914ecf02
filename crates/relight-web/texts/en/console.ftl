### The console.

console-skip = Skip to content
console-menu = Menu
console-nav = Main navigation
console-nav-incident = Incident
console-nav-sites = Sites
console-nav-public = Public page
console-no-incident = No open incident
console-since = Open for { $elapsed }
console-counters = Counters
counter-lit = online
counter-dark = dark, proven
counter-todo = affected, to fix
counter-share = share online
counter-alarm = exposed or unproven
wall-title = { NUMBER($sites) } { $sites ->
    [one] light
   *[other] lights
 }
wall-by-state = Sort by state
wall-by-place = Each light at its place
wall-as-table = Show as a table
wall-role = wall of lights
wall-keys = Arrows: move inside a sector; page keys: change sector; Enter: open the site. The list of sectors gives the same numbers.
console-foreign-host = Without sign-in this console answers only under the name of its own machine (localhost).
wall-legend = Legend
sectors-title = By sector
sectors-note = online / total
sectors-sentence = { $sector }: { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }, { NUMBER($lit) } online, { NUMBER($dark) } dark, { NUMBER($todo) } to fix
log-title = Live (UTC)
log-empty = Nothing yet.
live-on = Live
live-wait = Connecting…
live-frozen = Data frozen since { $time }
live-frozen-note = Data frozen since { $time }: the real state may have changed. Trying again…
live-full = Not live since { $time }: too many pages open
live-full-note = This page stands still since { $time }: your account has as many live pages open as it may have. Close one of them; this page tries again by itself.
live-old = Changed (noticed at { $time })
live-show = Show what is new
live-off = Without scripts this page does not update by itself.
live-summary = { NUMBER($lit) } online, { NUMBER($dark) } dark
live-alarm = { NUMBER($count) } { $count ->
    [one] site
   *[other] sites
 } exposed or unproven
duration-minutes = { NUMBER($minutes) } min
duration-hours = { NUMBER($hours) } h
language-switch = Français
sites-title = Sites
sites-count = { NUMBER($count) } { $count ->
    [one] site
   *[other] sites
 }
sites-beyond = One plan does not take the { NUMBER($count) } sites below by their names. Narrow the filter, by a sector for instance, or begin the plan on the incident screen: there it takes sites by what is known of them.
sites-none = No site fits.
sites-all-sectors = All sectors
sites-all-states = All states
sites-all = Show all sites
sites-filter = Filter
sites-column-site = Site
sites-column-name = Name
sites-column-organisation = Organisation
sites-column-sector = Sector
sites-column-state = State
sites-previous = Previous
sites-next = Next
sites-page = Page { NUMBER($page) } of { NUMBER($pages) }
list-none = Nothing fits.
not-found-title = Page not found
not-found-text = Nothing exists at this address.
not-found-back = Back to the incident

console-nav-advisories = Advisories
console-nav-watch = Watch
sites-words = Name, address, organisation or query
incident-attempts = attempts at { NUMBER($bodies) } { $bodies ->
    [one] organisation
   *[other] organisations
 }
burn-title = Dark sites over time
burn-sentence = Dark sites: peak { NUMBER($peak) }, now { NUMBER($dark) }
burn-sentence-ahead = Dark sites: peak { NUMBER($peak) }, now { NUMBER($dark) }; zero expected around { $zero }, between { $soon } and { $late }
burn-pace = { $rate } sites an hour; all back in { $hours } ({ $soon } to { $late })
burn-hours = { $value } h
burn-minutes = { $value } min
burn-seconds = { $value } s
burn-opened = incident opened
burn-most = most sites dark: { NUMBER($count) }
burn-back = first site back
burn-then = Dotted: the pace of December 2021, about 11 sites an hour (1,044 back after 94 hours)
burn-numbers = The numbers
burn-time = Time (UTC)

### The site, the question, the watch.

site-facts = Record
site-origin = Address
site-cases = In open incidents
site-no-case = No open incident is about this site.
site-inventory = Inventory
site-no-inventory = never inventoried
site-findings = Flaws in what it holds
site-no-finding = No known advisory concerns what is inventoried.
site-no-finding-unsure = None is known in what was read. Of the rest nobody can tell anything: see the inventory above.
site-components = Components
site-components-shown = { NUMBER($shown) } of { NUMBER($total) }
site-column-advisory = Advisory
site-column-facts = Severity
site-column-component = Component
site-column-version = Version
site-column-path = Place
criticality-1 = Vital
criticality-2 = Essential
criticality-3 = Important
criticality-4 = Normal
affected-title = Which of our sites?
affected-question = Advisory, package URL, or name and versions
affected-ask = Ask
affected-all-verdicts = All answers
affected-ratings = { NUMBER($count) } { $count ->
    [one] rating
   *[other] ratings
 }
affected-known = Known advisories, the worst first
affected-nobody = No site is affected, none unknown.
affected-why = Evidence or reason
past-day = As of the end of this day (UTC)
past-day-note = As of the end of { $day }, by what is known today. This is not the present.
past-day-now = Show the present
past-day-remedy = Write a day that has passed, like 2021-12-10, or leave the field empty for the present.
reach-title = Through which archives it reaches the sites
reach-component = Component
reach-version = Version
reach-container = Containers, from outside
reach-file = file
reach-others = { NUMBER($count) } others
reach-sentence = Components: { NUMBER($components) }. Kinds of containers: { NUMBER($containers) }, most often { $first }. Organisations: { NUMBER($organisations) }. Sites: { NUMBER($sites) }.
reach-left-out = { NUMBER($sites) } more affected sites are not in this graph; the list below has them.
evidence-title = Evidence
evidence-basis = Recognised by
evidence-since = There since
evidence-since-or-earlier = { $day } or earlier
evidence-damaged = An inventory of this site does not read back: what it held, and since when, cannot be told.
reach-damaged = Inventories that do not read back: { NUMBER($count) }. The graph does not show what they hold.
past-day-busy = Other days of the past are being read.
past-day-busy-remedy = Wait a moment and ask again; the present is answered at any time.
answers-busy = Other questions are being answered.
answers-busy-remedy = Wait a moment and ask again.
evidence-days = Its inventory changed on
basis-archive-digest = digest of the whole archive
basis-fingerprint-exact = code of its classes, exactly that of one version
basis-crc-set = check sums of its members
basis-package-database = record of the package manager
basis-pom-properties = pom.properties in the archive
basis-installed-metadata = metadata written at installation
basis-manifest = manifest of the archive
basis-class-name = name of a class
basis-fingerprint-partial = code of some of its classes
basis-named-class = code of a class that an advisory names
basis-path-string = text inside a program
basis-lock-file = lock file
basis-file-name = name of the file
basis-document = document of somebody else
certainty-proven = proven by its bytes
certainty-recorded = recorded by who built or installed it
certainty-partial = in part; the version is open
certainty-named = only called so
watch-title = Watch
watch-why = Why we think so
watch-compromise = Signs of compromise were seen.
stage-drill = DRILL
stage-drill-note = Nothing below is real.
stage-demo = DEMONSTRATION
stage-demo-note = A fictional province: none of these sites exists.
audit-dark = Dark proven for { NUMBER($count) } { $count ->
    [one] site
   *[other] sites
 }: { $sites }
audit-failed = { NUMBER($count) } { $count ->
    [one] site
   *[other] sites
 } not as wanted at { $edge }, { $why }: { $sites }
audit-unseen = Nobody looked at { $edge } from { $since } on: { NUMBER($count) } { $count ->
    [one] site was
   *[other] sites were
 } proven dark no more: { $sites }
audit-unknown = { $site } is unknown: { $why }
audit-deployed = { $site }: other files are in service
audit-led-past = A spelling of its name led past the closed gate of { $site } at { $edge }: { $spelling }
audit-verifying = { $site }: the fix is being verified
audit-verified = { $site }: what was asked behind the gate was answered; signs of compromise: { $signs }
audit-verified-not = { $site }: what was asked behind the gate was not answered; signs of compromise: { $signs }
audit-relight = { $site }: relight ordered
audit-title = Journal
audit-entries = { NUMBER($count) } { $count ->
    [one] entry
   *[other] entries
 }
audit-verify = Verify the chain
audit-intact = The chain is intact: { NUMBER($entries) } { $entries ->
    [one] entry
   *[other] entries
 }, up to { $head }
audit-broken = The chain is broken at entry { NUMBER($seq) }: { $why }
audit-broken-remedy = Keep the folder as it is, and compare with an export: relight audit verify FILE
audit-unread = The journal cannot be read.
audit-column-seq = Number
audit-column-at = Moment
audit-column-actor = Who
audit-column-kind = Kind
audit-column-incident = Incident
audit-column-body = Content
audit-older = Older
audit-newer = Newer
audit-note = Each entry holds the one before by its hash. To export it to another system: relight audit export
heat-title = Doors tried, week by week
heat-sentence = Sites of which a known door was tried, by sector, over { NUMBER($weeks) } weeks until { $until }: { $sector } most, { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
heat-key = { NUMBER($from) } and more
heat-key-none = no site
heat-sites = Sites tried
heat-most = Busiest week
heat-week = { $day }: { NUMBER($sites) }
heat-from = From
heat-to = To
lanes-title = Campaigns over time
lanes-note = One line a campaign, thicker with more sources; a dot where an organisation was first touched, larger for several.
lanes-campaign = Campaign
lanes-organisations = Organisations
lanes-sources = Sources
lanes-first = First contact
lanes-last = Last contact
share-title = Take it along
share-format = As
share-blocklist = Block list
share-purpose = What for (it is noted)
share-take = Download
share-no-purpose = what it is for is missing, or longer than 500 bytes
share-no-purpose-remedy = Say in a few words who gets it and why; the note stays with the watch.
share-played = a campaign of a drill or of the fictional province was played and leaves nowhere
share-played-remedy = Export from the folder of the real register.
share-list-faulty = the list of scanners that mean well cannot be read, so a block list could hold one of them
share-list-faulty-remedy = relight watch campaigns names each line of known-scanners.csv that is wrong.
tell-title = Tell the organisations
tell-what = Each one reads the number of the campaign, how far it went at their own organisation, that reconnaissance is not compromise where no sign of one was seen, and what to do; nothing about any other organisation.
tell-reach = { NUMBER($people) } { $people ->
    [one] person
   *[other] people
 } of { NUMBER($organisations) } { $organisations ->
    [one] organisation
   *[other] organisations
 } will be told.
tell-reach-again = Everybody was told of this step already: { NUMBER($people) } { $people ->
    [one] person
   *[other] people
 } of { NUMBER($organisations) } { $organisations ->
    [one] organisation
   *[other] organisations
 }.
tell-reach-done = { NUMBER($people) } { $people ->
    [one] person
   *[other] people
 } of { NUMBER($organisations) } { $organisations ->
    [one] organisation
   *[other] organisations
 } { $people ->
    [one] was told
   *[other] were told
 }. It is noted under your name.
tell-reach-none = No organisation that it touched has an account here.
tell-before = { $at }: { $who } told { NUMBER($people) } { $people ->
    [one] person
   *[other] people
 }.
tell-confirm-first = To tell them, show first who you are.
tell-back = Back to the watch
tell-now = Tell them
tell-again = Tell them again
tell-without = To be telephoned
tell-without-text = Nobody has an account here for these organisations; this does not tell them.
tell-told = everybody was told of this step already
tell-told-remedy = Who is to be told again is told from the page of the campaign.
tell-limit = Organisations were told { NUMBER($most) } times within the last hour
tell-limit-remedy = Wait until an hour has passed since the first time, or telephone: more at once would push out what people have not read yet.
lanes-sentence = { NUMBER($shown) } of { NUMBER($campaigns) } { $campaigns ->
    [one] campaign
   *[other] campaigns
  }, the newest first; { $most } touched the most organisations: { NUMBER($organisations) }.

look-title = Display
look-light = Light or dark
look-light-system = As the system
look-light-light = Light
look-light-dark = Dark
look-contrast = Contrast
look-system = As the system
look-more = More
look-keep = Save
look-note = This browser keeps it for a year. Nothing else is noted.

actors-title = Actors
actors-count = { NUMBER($count) } { $count ->
    [one] actor
   *[other] actors
 }
actors-words = Address, fingerprint or campaign
actors-all = All severities
actors-none = No actor fits.
actors-who = Addresses
actors-contacts = Tries
actors-more = and { NUMBER($count) } more
incident-others = Incidents that are open too
incident-other = { $since }: { NUMBER($dark) } dark, { NUMBER($todo) } affected to fix

### The edges.

edges-title = Edges
edges-count = { NUMBER($count) } { $count ->
    [one] edge
   *[other] edges
 }
edges-none = No edge is in the register.
edges-without = { NUMBER($count) } { $count ->
    [one] site is behind no edge of the register, and cannot be closed.
   *[other] sites are behind no edge of the register, and cannot be closed.
 }
edges-more = and { NUMBER($count) } more
edges-wanted = Wanted dark
edges-differs = Not as wanted
edges-barrier = Second barrier
edges-barrier-none = none
edges-barrier-none-why = what this edge fails to darken stays open
edges-barrier-of = stands behind { $edge }
edges-barrier-waits = has nothing to close
edges-barrier-closes = closes { NUMBER($count) } { $count ->
    [one] site
   *[other] sites
}
edges-barrier-fails = does not close { NUMBER($count) } { $count ->
    [one] site
   *[other] sites
}: { $why }
edges-barrier-and = { $closes }, and { $keeps }
edges-barrier-keeps = does not open { NUMBER($count) } { $count ->
    [one] site
   *[other] sites
}: { $why }
edges-turned = Last turn
edges-drilled = Last drill
edges-undrilled = none as it is now
edges-listeners = Listens on
edges-agrees = agrees
edges-differing = differs
edges-failing = its canary fails
edges-fenced = fenced
edges-rehearsed = a drill left sites dark
edges-unreadable = its entry cannot be read
edges-resting = nothing is wanted
edges-why = { $why }, since { $at }
edges-note = What the journal knows of each edge: nothing was asked of them for this page. To ask them:

# when
brief-open = open since { $when }
# when
brief-closed = closed; it was opened { $when }
# when
brief-as-of = as of { $when }
brief-part = This is the part of the incident that you read.
brief-sites = Sites of this incident
brief-words = Published
brief-report = Write the report
brief-others = Other incidents
brief-link = on one page
