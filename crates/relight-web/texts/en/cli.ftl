### The command line.

label-error = error
label-hint = hint
label-warning = warning
label-next = Next

# The first line of an answer.
affected-summary = { NUMBER($affected) } of { NUMBER($total) } { $total ->
    [one] site
   *[other] sites
 } affected, { NUMBER($unknown) } unknown, { NUMBER($clear) } clear
affected-part = Only the sites that the account of the token may read; there are others, of which nothing is said.
affected-remote-by-remedy = of a server: --by site, or --by none for clear ones too

column-sector = Sector
column-organisation = Organisation
column-site = Site
column-sites = Sites
column-affected = Affected
column-unknown = Unknown
column-share = Share
column-aliases = Other names
column-parts = Parts that can be closed alone
column-names = Host names
column-edge = Edge
column-state = State
column-reason = Reason

and-more-sectors = … and { NUMBER($count) } more { $count ->
    [one] sector
   *[other] sectors
 } (--by none shows all)

# The first three numbers of a scan.
scan-summary = { NUMBER($files) } { $files ->
    [one] file
   *[other] files
 } read, { NUMBER($archives) } { $archives ->
    [one] archive
   *[other] archives
 } (deepest { NUMBER($deepest) }), { NUMBER($components) } { $components ->
    [one] component
   *[other] components
 }
scan-unread = { NUMBER($count) } { $count ->
    [one] place unreadable
   *[other] places unreadable
 }

plan-nothing-changed = Nothing changed.
exit-unknown = { NUMBER($count) } unknown { $count ->
    [one] site
   *[other] sites
 }


### Errors and what to do about them.

labelled = { $label }: { $text }
labelled-place = { $label }: { $place }: { $text }
detail-label = technical detail
stdout-failed = the output could not be written
cannot-read = cannot read { $path }
fail-usage-remedy = { $command } --help says what it takes
fail-remedy = relight doctor says what stands in the way on this machine
stdout-failed-remedy = make room where it is written to, or write it elsewhere
scan-ended-remedy = scan it again; if it ends there again, leave it out with --exclude
catalogue-too-many-remedy = import fewer at a time: one folder below it after the other
share-bad-remedy = have it written again: relight watch share FILE
cannot-read-remedy = check that the path is right and that you may read it
cannot-write = cannot write { $path }
cannot-write-remedy = check that the folder exists, that you may write there, and that the disk has room
no-register = there is no register in { $folder }
no-register-remedy = make one with: { $command }, or name another folder with --data
no-such-site = there is no site { $site } in the register
no-such-site-remedy = relight sites list shows the sites
inventory-stored = inventory of { $site } stored
inventory-in-history = inventory of { $site } stored as history: that of { $newer } is newer, and stays the present one

store-corrupt = the register is damaged, or is not a register of relight
store-corrupt-remedy = nothing was changed: restore it from a backup
store-newer = the register was written by a newer relight
store-newer-remedy = update this program
server-runs = a server that runs controls this register, and this command would end it
server-runs-remedy = do it on its console, or end that server first; nothing was changed
store-fenced = another relight took over this folder
store-fenced-remedy = nothing was changed: see which relight runs on it
engine-broken = the journal is not what was written: nothing is done upon it
engine-broken-remedy = gates stay as they are, and nothing is relit or darkened by this journal: keep a copy of the folder, restore the newest backup that relight audit verify finds whole, and start again; what is dark there without an order stays so and is told (relight edge check)
store-plan-stale = the register changed meanwhile
store-plan-stale-remedy = nothing was changed: run the command again
store-disk-full = the disk is full
store-disk-full-remedy = nothing was changed: make room and run the command again
store-busy = another program holds the register
store-busy-remedy = wait a moment and run the command again
store-not-found = something that was named is not in the register
store-not-found-remedy = relight sites list shows the sites
store-limit = something is larger than a limit
store-limit-remedy = split the input
store-other = the register cannot be used
store-other-remedy = check that you may read and write the folder, or name another with --data

engine-stale = the situation is not the one that was shown
engine-stale-remedy = nothing was changed: look at the plan again with --dry-run
engine-rejected = the state of the incident does not allow it
engine-rejected-remedy = relight incident status shows where it stands
engine-not-found = something that was named is not there
engine-not-found-remedy = relight incident status and relight sites list show what is there
engine-other = the operation did not succeed
engine-other-remedy = run the command again; if it fails again, relight audit verify checks the journal

### Arguments that cannot be used.

usage-unknown-command = unknown command “{ $name }”
usage-unknown-option = unknown option “{ $name }”
usage-surplus-word = “{ $name }” is one word too many
usage-no-value = { $name } needs a value
usage-bad-value = { $name } cannot be “{ $value }”
usage-no-equals = { $name } needs its value after an equals sign
usage-number-of-values = { $name } has the wrong number of values
usage-conflict = { $name } and { $other } cannot be used together
usage-missing = missing: { $names }
usage-no-command = a command is missing
usage-not-utf8 = an argument is not UTF-8 text
usage-other = the arguments cannot be used
usage-near = the nearest that exists: { $near }
usage-values = possible: { $values }
usage-more = For more: { $command }

### Scans.

scan-one-target = --sbom, --flaws and --site go with one target only
scan-bad-redaction = --redact-paths cannot be “{ $value }”
scan-bad-redaction-remedy = write it as REGEX=TEXT: what fits the expression becomes the text
scan-slow = more than 10 s on { $path }
scan-percent = { NUMBER($percent) }%, { $text }
scan-progress = { NUMBER($files) } { $files ->
    [one] file
   *[other] files
 }, { NUMBER($archives) } { $archives ->
    [one] archive
   *[other] archives
 } (deepest { NUMBER($deepest) }), { NUMBER($megabytes) } MB, { NUMBER($flaws) } unread
scan-file = a file that an advisory of your own means
scan-hidden = { NUMBER($count) } { $count ->
    [one] component hidden by an upper layer, not counted
   *[other] components hidden by upper layers, not counted
 }
scan-fast-site = { $site } has the inventory of a deep scan, and one in fast mode would know less
scan-fast-remedy = fast mode finds and proves nothing absent: --mode deep reads everything
scan-fast-exhibits = fast mode did not look for the files and classes that advisories of your own mean
scan-known = { NUMBER($files) } { $files ->
    [one] file was not read again
   *[other] files were not read again
 } (cached; --no-cache reads everything)
cache-damaged = the cache was damaged and is thrown away; everything in doubt was read again
cache-not-saved = the cache could not be written; the next scan reads everything again
scan-unread-remedy = what could not be read may hold anything: the answer is incomplete
and-more-places = … and { NUMBER($count) } more (--json shows all)
finding-affected = affected
finding-mitigated = affected, mitigated
finding-declared-only = may be affected: only a lock file or a build document names it
finding-possible-match = may be affected: version missing or not comparable
finding-range-unresolved = may be affected: the advisory gives no range

### Queries and questions.

quoted = { $text } “{ $value }”
here = here
query-keys = known keys: { $keys }
query-keys-near = known keys: { $keys }; nearest: { $near }
query-values = known values: { $values }
query-values-near = known values: { $values }; nearest: { $near }
query-stack = nothing that sites are known to be built with
query-unknown-key = unknown key
query-unknown-word = unknown word
query-operator = operator that does not go with this key
query-value = value that does not go with this key
query-criticality = criticality goes from 1 to 4
query-parenthesis = parenthesis without its other half
query-quote = quotation mark that is not closed
query-end = a condition is missing here
query-too-long = the query is longer than 4,096 bytes
query-too-many-terms = the query has more than 64 conditions
query-too-deep = the query is nested deeper than 16 levels
# what, code, byte
query-fault-at = { $what } ({ $code } at byte { $byte })
query-needs-question = “affected”, “clear” and “unknown” alone need a question
query-needs-question-remedy = name it: affected:CVE-2021-44228
question-empty = the question is empty
question-too-long = the question is too long
question-name = this name cannot be read
question-purl = this package URL cannot be read
question-operator = this operator cannot be read
question-version = this version cannot be read
question-remedy = ask for an advisory (CVE-2021-44228), a package URL (pkg:maven/…) or a name with versions (log4j-core<2.17.1)
no-such-advisory = no advisory has the id { $id }
no-such-advisory-remedy = update the advisories: { $command }
not-scored = no CVSS score
affects-versions = affects { $versions }
fixed-in = fixed in { $versions }
exit-unknown-remedy = { NUMBER($count) } { $count ->
    [one] unknown site
   *[other] unknown sites
 }: relight sites gaps shows what is missing

### Sites.

column-criticality = Criticality
column-exposure = Exposure
exposure-internet = the internet
exposure-controlled = through a control (VPN, address list, partner)
exposure-internal = inside only
exposure-unknown = not known, counts as the internet
exposure-probed = { $exposure }, attempts seen
column-kind = Kind
column-gate = Gate
column-equal = As wanted
column-org = Organisation
sites-shown = { NUMBER($shown) } of { NUMBER($total) }
asset-summary = inventory of { $at }, { NUMBER($components) } { $components ->
    [one] component
   *[other] components
 }
inventory-complete = inventory complete and recent
site-hidden = questions about { $kind } stay unknown
gaps-found = { NUMBER($gaps) } { $gaps ->
    [one] gap
   *[other] gaps
 } for { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
gap-no-edge = no edge: the site cannot be taken dark
gap-edge-unregistered = its edge is not in the register
import-summary = { NUMBER($added) } added, { NUMBER($changed) } changed, { NUMBER($untouched) } untouched, { NUMBER($refused) } refused
csv-empty = the file is empty
csv-empty-remedy = the first line must name the columns: slug, name_fr, name_en, origin, organisation, sector, criticality, edge, public, exposure, aliases, parts
csv-column-missing = a column is missing
csv-column-missing-remedy = add it to the first line; nothing was imported
csv-column-unknown = unknown column
csv-column-unknown-remedy = it was left out; correct its name or remove it
csv-column-twice = repeated column
csv-column-twice-remedy = the first one was used; remove the other
csv-fields = number of fields differs from the first line
csv-fields-remedy = add or remove separators, or put the text in quotation marks
csv-utf8 = text that is not UTF-8
csv-utf8-remedy = save the file as UTF-8
csv-slug = this short name cannot be a key
csv-slug-remedy = small letters without accents, digits and . _ @ -, at most 128, starting with a letter or a digit
csv-criticality = criticality goes from 1 (vital) to 4
csv-criticality-remedy = correct the line and import again
csv-public = “public” is answered by yes or no
csv-exposure = exposure is internet, controlled, internal or unknown
csv-exposure-remedy = correct the line and import again
csv-channel = another way to reach a service is one line of 200 characters at most
csv-channel-remedy = shorten it, and leave out signs that are not seen: a telephone number, or a counter
csv-channel-words = another way to reach a service stands on the public page and names no flaw and says nothing about data
csv-channel-words-remedy = say only how it is reached: a telephone number, or a counter
csv-part = this is no part of a site
csv-part-remedy = write NAME=/PATH, @internet or @write, with blanks between them, for example booking=/booking @write
csv-public-remedy = correct the line and import again
import-bad-origin = this origin has no valid host name
import-bad-origin-remedy = write for example https://www.example.quebec
import-bad-alias = another name of the site is no valid host name
import-bad-alias-remedy = write host names with blanks between them, for example www.example.quebec old.example.quebec
import-too-many-aliases = more other names than a site may have
import-too-many-aliases-remedy = leave out names that nobody uses; each is asked for whenever dark is proven
import-too-many-parts = more parts than a site may have
import-too-many-parts-remedy = leave out parts that nobody would close alone
import-part-twice = the name of a part is taken: by another part of the site or by a site, or it is too long
import-part-twice-remedy = give the part another name
import-slug-of-part = the name of the site is that of a part of another site
import-slug-of-part-remedy = give the site, or the part, another name
import-no-organisation = the line names no organisation
import-no-organisation-remedy = fill in the column organisation
import-text-too-long = a text is longer than 4,096 bytes
import-text-too-long-remedy = shorten it
import-slug-twice = the same site is already on line
import-slug-twice-remedy = keep one of the two lines
import-host-twice = the same host name is already on line
import-host-twice-remedy = a host name belongs to one site only
import-host-taken = this host name already belongs to site
import-host-taken-remedy = a host name belongs to one site only
import-barrier = the edge of this site is the second barrier of another edge, and takes no orders of its own
import-barrier-remedy = name the edge that serves the site
import-grouped = the edge of this site is in a group, and takes no orders of its own
import-grouped-remedy = name the group
import-held-dark = an incident keeps this site dark, or it is not proven lit again yet: its edge and its address stay as they are, and none of its other names is taken away
import-held-dark-remedy = relight the site first, then move it or take names away
import-held-public = an incident keeps this site dark, or it is not proven lit again yet: it stays on the public page, which would say that all are back
import-held-public-remedy = relight the site first, then take it off the public page
import-sector-twice = the same organisation has another sector on line
import-sector-twice-remedy = an organisation has one sector only

### Advisories.

update-summary = Files: { NUMBER($files) }, advisories: { NUMBER($records) }; new: { NUMBER($new) }, changed: { NUMBER($changed) }, unchanged: { NUMBER($same) }, refused: { NUMBER($refused) }
import-progress = { $place }: { NUMBER($records) } { $records ->
    [one] record
   *[other] records
 }
import-no-file = there is no file: nothing was read
import-notes = used, with warnings: { NUMBER($count) }
import-scores = EPSS scores: { NUMBER($count) }
import-more-warnings = and { NUMBER($count) } more warnings
search-found = found: { NUMBER($count) }
revision-withdrawn = withdrawn
advisories-new-more = more came since then than the { NUMBER($shown) } newest, which are these; --limit shows up to { NUMBER($most) }
source-state-never = never read
source-state-fresh = up to date
source-state-late = late: nothing came for two of its periods
source-state-failing = failing: the last three imports gave nothing
source-state-refused = refused: the last list looked wrong
source-state-disabled = switched off: what it says does not count
source-unknown = no source is known by this name
source-unknown-remedy = relight advisories sources shows them
source-own = advisories of your own are not switched off together
source-own-remedy = relight advisories retire ID --reason TEXT, one by one
sources-disabled = switched off, so that what they say does not count: { $names }
source-vanished = missing from the newest list
source-stale-record = with a newer version that could not be read
source-gap = no source speaks about { $ecosystem }, which is installed somewhere
not-a-purl = “{ $text }” is not a package URL ({ $why })
not-a-purl-remedy = for example pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1
source-records = { $source }: { NUMBER($records) } { $records ->
    [one] record
   *[other] records
 }
sources-updated = updated at { $at }
sources-never-updated = never updated: only the advisories that ship with relight are known
feed-state-never = never fetched whole
feed-state-fresh = up to date
feed-state-behind = behind: changes that its lists name are not followed yet
feed-state-late = late: no look went well for two periods
feed-state-failing = failing: the last three looks went wrong
feed-every = every { NUMBER($minutes) } min
feed-times = last good { $good }, last tried { $tried }
feed-held = its server asks to be left alone until { $until }
feed-waiting = changes that are not followed yet, because there are many: { NUMBER($count) }
feed-missed = records of the last whole list that no list of changes had told: { NUMBER($count) }
feeds-ready = Feeds known by name: { $names }
feed-fault-unreachable = the server cannot be reached
feed-fault-certificate = the certificate of the server cannot be believed
feed-fault-timed-out = the server took too long
feed-fault-cut = the answer was cut off
feed-fault-redirect = the server sends elsewhere too often, or to plain text
feed-fault-status = the server does not give the document
feed-fault-busy = the server asks to be left alone
feed-fault-too-long = the answer is too long
feed-fault-answer = the answer is not HTTP
feed-fault-disk = the data folder cannot be written
feed-fault-stopped = ended before it was done
feed-fault-gone = the feed was taken off the list meanwhile, or put on it anew
feed-fault-authorities = the certificates of authorities cannot be read
feed-fault-list = the list of changes cannot be read
feed-fault-incomplete = documents that a list names did not come
feed-fault-damaged = a part of what came cannot be read
feed-fault-nothing-usable = what came holds no advisory
feed-fault-refused = what came was refused, because it changes or misses too much
feed-unknown = no feed is known by this name
feed-unknown-remedy = names: relight advisories feeds; any other feed with --url
feed-name = this is no name for a feed
feed-name-remedy = up to 500 letters, without a hyphen in front
feed-address = this address is not asked
feed-address-remedy = https, without a password; http on this machine only, because anybody on the way could write advisories
feed-period = this is no time between two looks
feed-period-remedy = from 5m to 7d: 15m, 2h, 1d
feed-twice = there is a feed of this name already
feed-twice-remedy = relight advisories feeds remove with its name, then add it again
feed-too-many = there are too many feeds already, at most
feed-too-many-remedy = relight advisories feeds remove with names that nobody needs
feed-one-url = one address is for one feed
feed-one-url-remedy = add them one by one
feed-none = there is no feed of this name
feed-none-remedy = relight advisories feeds shows them
fetch-no-feeds = there is nothing to fetch: this register has no feeds
fetch-no-feeds-remedy = relight advisories feeds add kev epss osv/Maven; or without a network: relight advisories update --offline DIR
fetch-elsewhere = another process fetches into this data folder
fetch-elsewhere-remedy = wait until it is done; a server with --fetch fetches by itself
fetch-authorities-remedy = name a file of certificates (PEM) with --ca
fetch-progress = fetching { NUMBER($count) } feeds
fetch-failed = { $why }; what was known stays
fetch-same = nothing new
fetch-changed = new: { NUMBER($new) }, changed: { NUMBER($changed) }, unchanged: { NUMBER($same) }
remedy-feed-failed = what was known stays and counts; relight advisories feeds shows since when
remedy-feed-list = the rest of the list is used; report it to its publisher
remedy-feed-document = the others came
no-such-ecosystem = there is no ecosystem “{ $name }”
no-such-ecosystem-remedy = ecosystems: { $names }; schemes: { $schemes }
order-line = line { NUMBER($line) }
order-other = line { NUMBER($line) }: { $text }; relight says { $judged }
order-summary = { NUMBER($lines) } { $lines ->
    [one] line
   *[other] lines
 } by the order of { $scheme }, { NUMBER($different) } judged otherwise
order-one-version = one version alone has no order
order-remedy = write one comparison a line, with spaces around the sign: 1.0 < 1.1, 1.0 = 1.0.0 or 1.1 > 1.0
order-line-sign = no sign <, = or > between two versions
order-line-left = no version before the sign
order-line-right = no version after the sign
order-line-too-long = longer than 4096 bytes
order-line-utf8 = not UTF-8 text
cvss-scores = base { $base }  temporal { $temporal }  environmental { $environmental }  { $vector }
cvss-scores-4 = base { $base }  threat { $threat }  environmental { $environmental }  { $vector }
cvss-argument = vector { NUMBER($at) }
cvss-refused = { $what }, at character { NUMBER($at) }: “{ $part }”
cvss-remedy = for example CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H; nothing is guessed from a vector that is not whole
cvss-empty = no vector
cvss-too-long = longer than 1024 bytes
cvss-version = not a CVSS vector of version 2, 3.0, 3.1 or 4.0
cvss-metric = a metric that this version does not have
cvss-value = a value that this metric does not have
cvss-twice = a metric that was given already
cvss-missing = a base metric is missing
warning-advisory-unreadable = file that cannot be read
remedy-advisory-unreadable = check that it is whole and that you may read it
remedy-advisory-format-unknown = give a published form: OSV, CVE, NVD, CSAF, VEX, KEV, EPSS, or the tracker of Debian or Alpine
remedy-advisory-format-other = a feed speaks for itself alone; fetch the other one from its own publisher
remedy-advisory-bad-record = the others were read; report this one to its source
remedy-advisory-note = the record was used; report it to its source
remedy-duplicate-id = nothing to do: both are kept as one
remedy-source-refused = look at the list; when it is right: relight advisories import --accept with the name of the source
remedy-advisory-too-large = report it to its source
remedy-advisory-own = if it is right: relight advisories import --accept own with this file
remedy-osv-bad-record = the others were read; report this one to its source
remedy-osv-note = the rest of the advisory is used
remedy-sbom-component = the inventory is incomplete: correct the tool that writes it
remedy-sbom-purl = the inventory is incomplete: correct the tool that writes it
remedy-sbom-flaw = the inventory counts as incomplete
remedy-bad-database = the inventory is incomplete: check the file
remedy-bad-lock = the inventory is incomplete: check the file
remedy-bad-metadata = the inventory is incomplete: check the file
remedy-bad-program = the inventory is incomplete: check the program
remedy-dpkg-bad-status = the inventory is incomplete: check the file
remedy-maven-bad-pom-properties = the inventory is incomplete: check the archive
remedy-npm-bad-lock = the inventory is incomplete: check the file
remedy-npm-bad-package = the inventory is incomplete: check the file
remedy-python-bad-metadata = the inventory is incomplete: check the file

### Inventories.

sbom-no-inventory = { $site } has no inventory yet
sbom-no-inventory-remedy = scan it first: relight scan TARGET --site { $site }
sbom-same = no difference
sbom-fixes = fixes { $ids }
sbom-brings = brings { $ids }
complaints-none = no complaint
lint-form = { NUMBER($count) } { $count ->
    [one] fault of form
   *[other] faults of form
 }
lint-minimum = { NUMBER($count) } missing minimum { $count ->
    [one] element
   *[other] elements
 }
lint-more = only the first { NUMBER($count) } are shown
complaints-remedy = correct the tool that writes it
sbom-one-file = --site goes with one file only
sbom-without-time = { $file } does not say when it was made, and an old inventory proves nothing of today
sbom-observed-remedy = say when what it lists was deployed, in the past: --observed 2026-11-28T20:00:00Z
not-an-inventory = { $file } is not an inventory that can be read
not-an-inventory-remedy = give JSON of CycloneDX 1.2 to 1.7, or of SPDX 2.2 to 3.0
sbom-summary = { NUMBER($components) } { $components ->
    [one] component
   *[other] components
 }, { NUMBER($unread) } { $unread ->
    [one] gap
   *[other] gaps
 }

### Incidents.

operator-missing = nobody may switch from the command line here
operator-missing-remedy = for a town of at most 5 sites, write into { $path }: [operators] and then single = "YOUR NAME"
operator-two-people = people sign in to this register, so one operator alone has the rule for one person only: a few sites of one organisation, none of them vital, within the signed policy
operator-two-people-remedy = propose it on the console, where a second person agrees: relight serve
operator-alone = one operator alone has the rule for one person only: a few sites of one's own, none of them vital, and within a day no more than the signed policy lets one person switch
operator-alone-remedy = relight policy show tells the rules; what takes two people is asked for on the console: relight serve
operator-too-many = one operator alone may switch up to { NUMBER($most) } sites; this register has { NUMBER($sites) }
operator-too-many-remedy = it takes two people and a server that knows identities
policy-unusable = the policy { $path } cannot be used
policy-unusable-remedy = it holds [operators], [switching], [oidc], [keys] and [[standing]] as the guide has them (plans, sign-in), nothing else
operator-unread = the policy cannot be used: the account of the system is noted
weak-keys = { NUMBER($count) } { $count ->
    [one] person has
   *[other] people have
 } no passkey that counts, only such as are too weak: { $names }
weak-keys-remedy = let each of them register another one with a new link from an admin, or let the signed policy say keys.rsa_bits_min = 2048
incident-untranslated-remedy = publish again with --fr and --en; relight public export --languages fr is a page without English
incident-needs-advisory = an incident is about an advisory
incident-needs-advisory-remedy = relight affected answers questions about a package
incident-bad-title = this cannot be the title of an incident
# most
incident-bad-title-remedy = give one line that says something, { NUMBER($most) } bytes at most, without signs that nobody sees
# id
incident-opened = Incident { $id } opened
incident-updated = { $incident }: published, and on the public page as soon as it is written
incident-closed = Incident { $id } closed
example-reason = Log4Shell
fix-started = { $site }: fix begun
no-such-incident = there is no incident { $id }
no-such-incident-remedy = relight incident status shows the open incidents
no-open-incident = no incident is open
no-open-incident-remedy = open one: { $command }
several-incidents = several incidents are open
several-incidents-remedy = name one with --incident: { $ids }
incident-is-closed = closed
open-for-hours = open for { NUMBER($hours) } h
not-proven = { NUMBER($count) } { $count ->
    [one] site exposed: wanted dark without a proof, or online without current evidence
   *[other] sites exposed: wanted dark without a proof, or online without current evidence
 }
unseen = { NUMBER($sites) } { $sites ->
    [one] site was proven dark and counts as exposed
   *[other] sites were proven dark and count as exposed
 }: nobody has looked at the edges since { $since }
unseen-ever = { NUMBER($sites) } { $sites ->
    [one] site was proven dark and counts as exposed
   *[other] sites were proven dark and count as exposed
 }: nobody is known to have looked at the edges since
unseen-remedy = relight serve looks at the edges and proves what is dark
unseen-served-remedy = a server runs and does not say that it looks: see its messages, then start it again
nobody-looks-on = this command looks no longer: in 15 s what is dark counts as exposed, unless relight serve looks on
plan-hash = plan { $hash }
plan-summary = { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } ({ NUMBER($affected) } affected, { NUMBER($unknown) } unknown, { NUMBER($vital) } vital) on { NUMBER($edges) } { $edges ->
    [one] edge
   *[other] edges
 }
skipped-already-so = is so already
skipped-no-edge = no edge switches it
skipped-protected = is on the protected list
skipped-edge-lint = stays lit: the set-up of its edge lets visitors past a closed gate
skipped-exempt = may stay online: an exemption is in force
skipped-no-clear-evidence = no current evidence says clear
skipped-not-verified-yet = is clear, and its fix is not verified yet
skipped-held-elsewhere = is held dark by another incident
skipped-restored = is known from before the register came back from an older copy: scan it again
skipped-no-such-part = has no part of that name
skipped-no-part-gate = its edge has no gate for such a part
plan-untrusted-remedy = find out why (relight edge check), then: relight drill --edges NAME
plan-undrilled = no drill in the last 400 days: { $edges }
plan-bodies = sites of { NUMBER($bodies) } public bodies
plan-part = part of each site: { $part }
parts-closed = { NUMBER($closed) } of { NUMBER($all) } parts are closed; their sites are not dark
parts-open = { NUMBER($open) } of { NUMBER($all) } parts are open again
part-read-back = closed as read back at the edge: from here nobody sees what the internet sees
parts-are-closed = { NUMBER($parts) } { $parts ->
    [one] part of a site is closed, or being closed or opened; no site is dark by it
   *[other] parts of sites are closed, or being closed or opened; no site is dark by them
 }
part-closed = closed
part-closing = to be closed, not proven
part-not-closed = not closed: its site is exposed
part-opening = being opened
part-open = open
with-closed-parts = { $action }; closed: { $parts }
needs-yes = nobody is there to confirm
needs-yes-remedy = confirm with --yes, or look with --dry-run
are-you-sure = Carry out this plan? yes or no
proven-dark = { NUMBER($proven) } of { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } proven dark
proven-lit = { NUMBER($proven) } of { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } proven lit again
not-proven-yet = not proven after 30 s
not-proven-remedy = the order stands; relight edge check shows what the edges say
verified = { $site }: fix verified
not-verified = { $site }: the fix is not verified, the site stays as it is
not-verified-incomplete = the inventory is incomplete; relight sites show tells what could not be read
not-verified-same = nothing changed: the same files, or the incident does not know the site
not-verified-remedy = the target is still affected, the site did not answer behind the gate, or a vital site needs --signs none
entry-opened = incident opened
entry-dark-ordered = dark ordered
entry-parts-closed = parts ordered closed
entry-parts-opened = parts being opened
entry-parts-seen = parts looked at
entry-proved = proven
entry-edge-failed = dark not proven
entry-analysis-started = analysis started
entry-evidence-attached = evidence attached
entry-fix-started = fix begun
entry-deployed = new version in service
entry-verification-started = verification started
entry-verification-found = what stands in the way of a verification
entry-checks-run = checks of a site asked
entry-verified = verification ended
entry-relight-started = relight begun
entry-relight-stopped = relight stopped
entry-revised = advisory revised
entry-lapsed = evidence lapsed
entry-drifted = edge changed without an order
entry-closed = incident closed
entry-baseline-taken = answer before the order
entry-mitigated = control in front of the site
entry-acceptance-signed = two people answer for it
entry-exempted = exempt
entry-break-glass = without the usual approvals
entry-plan-approved = plan approved
entry-plan-refused = plan refused
entry-plan-undone = order taken back
entry-authority-granted = standing authority given
entry-authority-used = under standing authority
entry-barred = second barrier of an edge
entry-canary-tried = canary of an edge
entry-led-past = a spelling led past a closed gate
entry-matcher-runs = another version of the matching
entry-clock-set-back = clock set back: what was over stays so
entry-restored = register older than its edges: nothing opens on what was known before
entry-advisories-set = what counts of advisories was set on the command line
entry-drilled = drill
entry-drill-begun = drill begins
entry-drill-ended = drill over
entry-drill-undone = what a drill left dark is lit again
entry-refused = refused

### Edges.

edge-added = edge { $name } registered
edge-removed = edge { $name } left the register
edge-unknown = the register has no edge { $name }
edge-unknown-remedy = relight edge list
edge-stays = edge { $name } stays in the register: { $why }
edge-stays-sites = { NUMBER($count) } { $count ->
    [one] site stands on it
   *[other] sites stand on it
 }
edge-stays-sites-remedy = give the sites another edge first (relight sites import)
edge-stays-other = { $name } stands on it
edge-stays-other-remedy = register that one anew without it first, or remove it
edge-stays-dark = its gate holds { NUMBER($count) } { $count ->
    [one] key
   *[other] keys
 } dark, among them { $first }
edge-stays-dark-remedy = relight edge check says which incident holds it, or that nobody does; nothing would open it any more
edge-failed = the edge cannot be used like this
edge-failed-remedy = check the gate folder, the addresses and the settings (--set)
# edge
edge-elsewhere = edge { $edge }: an agent writes it on its own machine; from here nothing is known of it
edge-unknown-here = an agent writes this edge on its own machine; from here nothing is known of it
edge-elsewhere-remedy = start relight serve with --agent-listen: that server asks its agent, and its page /edges says how the edge stands
edge-not-asked = asked by the server only
edge-agent-kind-remedy = only edges of kind agent are written by an agent; relight agent list shows them
# agent
edge-agent-unknown = no agent that is let in is called “{ $agent }”, or more than one is: nobody writes this edge
edge-agent-unknown-remedy = relight agent list shows numbers and machines; a number names one agent only
# edge
edge-agent-file = on the machine of the agent, write into agent.toml: [edges.{ $edge }] with kind, gate and listen, and [edges.{ $edge }.set] with its settings (docs: agents)
edges-known = { NUMBER($count) } { $count ->
    [one] edge
   *[other] edges
 }
edge-ok = as wanted
edge-no-answer = no answer
edge-differs = { NUMBER($count) } { $count ->
    [one] site differs
   *[other] sites differ
 }, among them { $first }
edge-several = several edges are of this kind
edge-several-remedy = name one with --name
edge-none = no { $kind } edge of this name in the register
edge-none-remedy = relight edge add { $kind } --name NAME --gate DIR --listen ADDRESS
edge-no-verify = the edge has no verification path
edge-no-verify-remedy = add it again with --verify SOCKET
control-untried = nothing can be said about the control: behind the gate, even a harmless request is stopped
control-untried-remedy = see what the site itself answers, then try the control again
site-not-back = the site stays on the public page: all of it or a part is offline, or on its way there or back
site-not-back-remedy = take it off once it is seen online again; until then the page would say that all services are back
edge-holding-written = hold.html and hold.json written in { $folder }
edge-holding-sites = { NUMBER($sites) } { $sites ->
    [one] site has a page of its own, with how else it is reached
   *[other] sites have a page of their own, with how else they are reached
 }
edge-holding-no-english = --channel-en says something in English, and the page is in French only
edge-holding-no-english-remedy = leave it out, or add --languages fr,en
edge-holding-other-languages = the page of dark sites says what somebody wrote, and stays as it is, in other languages than those of --languages; give its words again with: { $command }
edge-holding-outdated = { NUMBER($sites) } { $sites ->
    [one] dark site would not show how else it is reached, as the register says it; give the words for all again with: { $command }
   *[other] dark sites would not show how else they are reached, as the register says it; give the words for all again with: { $command }
 }
edge-running = edge { $name } answers on { $addresses } for { NUMBER($count) } { $count ->
    [one] site
   *[other] sites
  }
edge-run-remedy = see what uses the port, and that no host name stands for two sites and no site leads back to the edge
edge-no-route = nothing says where site { $site } listens behind the edge
edge-no-route-remedy = name one address for all with --upstream, or give the site a line in the file of --routes: SITE HOST:PORT
edge-route-of-nobody = the file of routes names { $site }, which is no site of this edge
edge-route-of-nobody-remedy = relight sites list edge:NAME shows those of the edge; mend or remove the line
edge-route-twice = { $place }: site { $site } has a line already
edge-kind-experimental = { $kind } (experimental)
edge-config-pages = make the pages first: relight edge holding hold, then in each namespace: kubectl create configmap relight-hold-pages --from-file=hold; where sites have pages of their own also: kubectl create configmap relight-hold-of --from-file=hold/of (at most 1 MiB; delete both before you make them again)
edge-tried-again = cannot be opened; it is tried again, and its sites count as exposed until then
edge-without-barrier = has no second barrier: { $why }
edge-barrier-refused = { $barrier } cannot be the second barrier of { $edge }: { $why }
edge-barrier-remedy = register an edge that has no sites and that no other edge names, then name it with --set barrier=NAME
edge-grace-refused = { $value } is no grace for connections that were open before
edge-grace-remedy = name seconds, from 0 to { $most }, or hard, which cuts downloads at once: --set grace=10
edge-group-refused = { $name } cannot be registered so, because of { $other }: { $why }
edge-group-remedy = register each proxy without sites, then: relight edge add group --name NAME --member EDGE EDGE
group-few = a group has two edges or more
group-twice = the edge is named twice
group-missing = no edge of the register has this name
group-nested = a group does not stand in a group
group-sites = the edge has sites of its own: they are to carry the name of the group
group-shared = the edge is in another group
group-barred = a second barrier is given to the group, not to an edge in it, and is in no group
barrier-missing = no edge of the register has the name that was given
barrier-itself = an edge is not its own second barrier
barrier-nested = the edge that was named has a second barrier of its own
barrier-sites = the edge that was named has sites
barrier-shared = the edge that was named is the second barrier of another one
barrier-in-use = an edge that is a second barrier itself has none
edge-cannot-prove = cannot prove dark for lack of { $missing }: { NUMBER($sites) } { $sites ->
    [one] site counts
   *[other] sites count
 } as exposed, even when dark
edge-cannot-prove-remedy = relight edge check says what to do
lint-tunnels-uncounted = nobody knows whether a connection stays open behind a closed gate: no site counts as proven dark
lint-tunnels-uncounted-remedy = if the edge lets none be upgraded: --set upgrades=refused; else name the origins: --set origins=FILE (lines of SITE ADDRESS:PORT)
lint-member-silent = an edge of the group does not answer: no site counts as proven dark or open again
lint-member-silent-remedy = relight edge check shows each of them
lint-no-master = nobody tells how many processes of before a reload still serve: no site counts as proven dark
lint-no-master-remedy = --set master=SOCKET (haproxy -W -S SOCKET)
lint-gate-not-readable = the workers of the edge cannot read the gate
lint-gate-strange-entry = strange entry in the gate
lint-foreign-dark = dark by an entry that is not ours
lint-dark-unasked = dark without an order in this journal; it stays so until an order here takes it over
lint-gate-not-writable = the gate cannot be written
lint-gate-writable-by-others = others can write the gate
lint-epoch-unreadable = the epoch cannot be read
lint-socket-not-admin = the socket is not of level admin
lint-map-unknown = HAProxy does not know this map
lint-bufsize-too-small = tune.bufsize is too small
lint-map-file-unreadable = the map file cannot be read
lint-api-unreadable = the interface of the edge does not answer as expected
lint-caddy-admin-not-read = the running configuration of Caddy is not read: set `admin` to its socket
lint-canary-failed = the canary of this edge no longer goes dark and comes back as it is told: relight edge test tells more
lint-capability-missing = this edge does not declare it, so no site counts as proven dark
lint-certificate-wrong = the certificate is not good for this site: over TLS, nothing there counts as proven dark
lint-experimental = this kind of edge was only tried on imitations: run a drill before you rely on it
lint-file-not-ours = the file of routers was not written by us
lint-gate-not-in-config = the running configuration holds none of our gates
lint-hosts-unreadable = the list of hosts cannot be used
lint-map-older-than-before = the map is older than one before it: workers may remember the old lights
lint-observe-fails = the program `observe` fails
lint-observe-partial = dark when it is asked for, and not told of when it is not: orders would open what somebody else closed there; let `observe` answer with all that is dark
lint-route-managed-elsewhere = another tool manages this route and may write it back
lint-route-unreadable = the route cannot be read
lint-routes-unreadable = the list of routes cannot be used

### Watch. Below level S5 only reconnaissance-note may speak of compromise.

no-such-organisation = there is no organisation “{ $name }” in the register
no-such-organisation-remedy = known organisations: { $names }
decode-summary = { NUMBER($lines) } { $lines ->
    [one] line
   *[other] lines
}, { NUMBER($effective) } effective, { NUMBER($attempts) } { $attempts ->
    [one] attempt
   *[other] attempts
}
decode-line = line { NUMBER($line) }: { $verdict }
decode-callback = would have asked { $place }
decode-benign = harmless
decode-effective-remote = would have worked, asks another machine
decode-effective-local = asks for a name inside the application
decode-attempt-truncated = attempt that could not work: closing brace missing
decode-attempt-escaped = attempt that could not work: escaped by a dollar sign
decode-attempt-spaced = attempt that could not work: blank in the prefix
decode-attempt-base64 = attempt that could not work: Log4j 2.14.1 has no base64 lookup
decode-attempt-over-limit = counted as an attempt: too long or too nested to be followed to the end
simulated = { $folder }: { NUMBER($lines) } lines in { NUMBER($logs) } { $logs ->
    [one] log
   *[other] logs
}, the truth in truth.json
simulate-not-empty = { $folder } is not empty: name a folder that is, or a new one
listen-unencrypted = { $address } can be reached from other machines, and speaks no TLS
listen-unencrypted-remedy = let a proxy that speaks TLS stand before it (logs: --syslog-tls), or add --unencrypted if whoever is on the way may read and change what is said
forward-no-place = the journal cannot be sent to { $place }
forward-no-place-remedy = name a host whose certificate is good for that name (HOST or HOST:PORT, 6514 without one), and its authority with --journal-ca
forward-failed = the journal is not taken at { $place }
forward-failed-remedy = nothing is lost: what is missing there is sent as soon as it is taken again
forward-again = The journal is taken again at { $place }, with what was missing
rows-left-out = not among these rows: { $lists }; -o json has them
receive-beyond-loopback = { $address } can be reached from other machines
receive-beyond-loopback-remedy = add --beyond-loopback if that is what you want, and let only your own senders in
receive-tls-needs = --syslog-tls, --tls-certificate and --tls-key belong together
receive-tls-needs-remedy = give all three, as options or in the configuration, or none
receive-failed = the listeners for logs could not be started
receive-failed-remedy = choose another address, or stop what uses it; ports below 1024 need a privilege
receive-listening = Listening: { $kind } on { $address }
receive-no-org = nobody said whose logs will be received
receive-no-org-remedy = add --org NAME
receive-spool = the spool could not be written or emptied; senders over TCP wait, datagrams are dropped and counted
receive-spool-remedy = make room on that disk, or look at who owns the folder
received = { NUMBER($lines) } { $lines ->
    [one] line
   *[other] lines
} received, { NUMBER($lost) } lost
received-dropped = lines in datagrams for which there was no room, and lines that could not be written
received-dropped-by-system = datagrams that the system dropped
received-dropped-untold = how many datagrams the system dropped is unknown: it does not show /proc/self/net/udp
received-cut = lines longer than the limit, cut
received-torn = lines that ended with their connection
received-slow = connections ended because they were too slow
received-crowded = connections closed because there were too many
received-failed = connections that failed
received-flows-dropped = sets of flows dropped while they waited for a template
received-flows-lost = flows that never came, by their numbering
received-flows-refused = flow datagrams that cannot be read
door-presence = is it there?
door-version = which version?
door-exposure = is it open?
door-exploit = a flaw is used
catalogue-entries = { NUMBER($count) } { $count ->
    [one] door
   *[other] doors
}
catalogue-checked = { NUMBER($count) } { $count ->
    [one] entry
   *[other] entries
} can be used, { NUMBER($faults) } { $faults ->
    [one] fault
   *[other] faults
}
catalogue-imported = { NUMBER($templates) } { $templates ->
    [one] template
   *[other] templates
}, { NUMBER($entries) } { $entries ->
    [one] entry
   *[other] entries
} in { $file }
catalogue-too-many = { $folder } has more requests than one file of entries may hold
catalogue-cannot-write = { $file } cannot be written
catalogue-large = the file is too large
catalogue-toml = the file is not TOML of the form that entries have
catalogue-product = a product is the beginning of a package URL (pkg:) or of a CPE name (cpe:2.3:)
catalogue-id = an id is of small letters, digits and hyphens
catalogue-kind = a kind is presence, version, exposure or exploit
catalogue-cve = a flaw is written CVE-2021-44228
catalogue-reference = a reference begins with https://
catalogue-hit = the example is not found by the entry
catalogue-miss = the near miss is found by the entry
catalogue-places = an entry has one place of the path only
catalogue-case = what is looked for is written in small letters
catalogue-short = what is looked for is too short to be specific
catalogue-no-match = an entry looks for a path or a query
catalogue-left-out = the entry does not count: its id is taken (numbers count as alike), or there are too many entries
catalogue-late = your own entries do not count: lines were read before them
nuclei-large = too large for a template
nuclei-no-template = no template
nuclei-no-request = makes no request that says something about a product
nuclei-unreadable = could not be read
block-list = { NUMBER($blocked) } { $blocked ->
    [one] address
   *[other] addresses
} in the list, { NUMBER($left) } left out
block-reconnaissance = only looked around
block-never = never blocked: reserved or named in the list
block-crowded = many people use these addresses
block-expired = their time is over
posture-complete = logs come, with every field that is needed
posture-partial = logs come without
posture-quiet = too few visitors to tell, last line of
posture-silent = no logs since
posture-never = no logs ever
posture-feed = { NUMBER($events) } { $events ->
    [one] event
   *[other] events
} on { NUMBER($days) } of 90 days, last
posture-unread = { NUMBER($unread) } of { NUMBER($lines) } lines of the last 28 days are of no known format: nobody knows what they tell
posture-changed = since { $day } of the format { $to }, before of { $from }
posture-lost = since { $day } no longer of the format { $from }, and most lines of none that is known
posture-ahead = its clock is { NUMBER($minutes) } { $minutes ->
    [one] minute
   *[other] minutes
} ahead of ours, at most
posture-behind = read { NUMBER($least) } to { NUMBER($most) } hours after they were written
posture-gaps = { NUMBER($days) } { $days ->
    [one] day
   *[other] days
} of the last 90 without a line between others, last from { $from } to { $until }
posture-outbound = what it sends out was looked at until { $day }
posture-no-outbound = nobody looked at what it sends out (outbound.csv): signs of success stay unknown
posture-kept = what is made of logs is kept { NUMBER($days) } { $days ->
    [one] day
   *[other] days
} (relight watch keep)
posture-counts = { NUMBER($complete) } complete, { NUMBER($partial) } partial, { NUMBER($quiet) } quiet, { NUMBER($silent) } silent, { NUMBER($never) } never
gap-logs-never = it sends no logs: nobody can tell who tries it
gap-logs-quiet = nothing came for a while, and it has too few visitors to tell whether its logs stopped
gap-logs-silent = its logs stopped
gap-logs-partial = its logs lack fields
hunt-full = { NUMBER($windows) } { $windows ->
    [one] window of that time was full: contacts of it were not kept, and nobody can tell which
   *[other] windows of that time were full: contacts of them were not kept, and nobody can tell which
}
hunt-unread = { NUMBER($lines) } { $lines ->
    [one] line of that time was not read: what is looked for may be in it
   *[other] lines of that time were not read: what is looked for may be in them
}
hunt-answered = answered at { $place } to ordinary visitors, between { $first } and { $last }; who asked is not kept
hunt-answered-unknown = { NUMBER($sites) } { $sites ->
    [one] site has
   *[other] sites have
 } so many paths that nobody can tell whether this one was answered
hunt-nothing = “{ $what }” is no flaw or product that a door is known for, no path, no address and no host
hunt-nothing-remedy = relight watch catalogue list shows the doors; any path can be looked for
hunt-found = { NUMBER($count) } { $count ->
    [one] contact
   *[other] contacts
}
hunt-more = … and { NUMBER($count) } more; --json has up to { NUMBER($most) } in all
hunt-covered = logs from { $from } to { $to }, { $gaps ->
    [0] without a missing day
    [one] with { NUMBER($gaps) } gap
   *[other] with { NUMBER($gaps) } gaps
}
hunt-fewer = { NUMBER($sites) } { $sites ->
    [one] site of it sent fewer, or none: unknown there
   *[other] sites of it sent fewer, or none: unknown there
}
hunt-not-covered = no logs of that time: unknown
erased = { NUMBER($count) } { $count ->
    [one] contact
   *[other] contacts
} erased
erase-left = free pages of this register may still hold what was erased: an earlier version wrote it, and it has to be written anew, once
erase-left-controlled = a server that runs controls it, and its orders would wait: end that server when no incident is open, repeat this command, and start the server again
erase-left-incident = an incident is open, and nothing that darkens may wait: repeat this command when it is closed
erase-left-no-room = it takes { NUMBER($mebibytes) } MiB that are free on its disk: make room, and repeat this command
watch-kept = logs are kept { NUMBER($days) } { $days ->
    [one] day
   *[other] days
}
share-no-key = { $place } holds no key of the quarter { $quarter }
share-no-key-remedy = add a line “{ $quarter } ” with 64 hexadecimal digits that all members have and nobody else
share-bad = { $place } was not written by relight watch share, or is damaged
window-of = a window of { $organisation }
share-other-quarter = { $place } is of another quarter than { $quarter }: each member shares again
shared = { NUMBER($contacts) } { $contacts ->
    [one] contact
   *[other] contacts
} in { $file }, under the key of { $quarter }
shared-partial = there are more contacts than a file holds: a part of them is in it
pool-reach = { NUMBER($organisations) } { $organisations ->
    [one] organisation
   *[other] organisations
}, { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
}, { NUMBER($sources) } { $sources ->
    [one] source
   *[other] sources
}, { NUMBER($own) } of them seen here
pool-reach-few = fewer than { NUMBER($least) } organisations, { NUMBER($sources) } { $sources ->
    [one] source
   *[other] sources
}
map-legend = distinct contacts (one source, one site, one door) by sector and week, under its Monday; “-” where no log was heard
map-few = counts below { NUMBER($least) } are kept back
map-no-sector = (no sector)
probed-affected = tried, and vulnerable that day
probed-unknown = tried, and nobody can tell whether it was vulnerable
probed-clear = tried, and not vulnerable
product-affected = tried, and it ran what was looked for that day
product-unknown = tried, and nobody can tell whether it ran what was looked for
product-clear = tried, and it did not run what was looked for
probed-who = { $campaign } tried: { NUMBER($sources) } { $sources ->
    [one] address
   *[other] addresses
 }, { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
not-probed = not tried
not-probed-unheard = { NUMBER($sites) } { $sites ->
    [one] of them sent
   *[other] of them sent
} no logs on some of these days: nobody can tell of those
no-logs = no logs of that time
probed-no-door = no door is known that belongs to “{ $what }”
probed-no-door-remedy = relight watch catalogue list shows the doors; relight watch hunt looks for any path
log-summary = { NUMBER($lines) } { $lines ->
    [one] line
   *[other] lines
 }, { NUMBER($events) } { $events ->
    [one] event
   *[other] events
 }, { NUMBER($refused) } refused
log-known = read before, nothing changed
log-overflow = { NUMBER($count) } { $count ->
    [one] contact was counted only
   *[other] contacts were counted only
 }: of one visit, the strongest are kept
log-lines = { NUMBER($count) } { $count ->
    [one] line
   *[other] lines
 }: { $what }
log-refused = not a log line that can be read
log-refused-remedy = the other lines were read
log-cut = longer than the limit, cut
log-cut-remedy = its beginning was read
log-format-unknown = of no format that is known
log-format-other = of another format
log-field-count = wrong number of fields
log-columns-unknown = no header line named its columns
log-address-missing = without an address of who asked
log-port-invalid = port that cannot be read
log-json-expected = no JSON object
log-json-truncated = JSON that ends too early
log-json-invalid = JSON that cannot be read
log-json-deep = JSON nested too deeply
log-json-trailing = something follows the JSON object
log-message-other = a message about something else
log-no-data = says that nothing was recorded
log-pair-invalid = a value without a name
log-header-line = names columns
log-odd-order = older than the line before
log-odd-late = later than 48 hours
log-odd-skewed = from the future, set to the time of receipt
log-odd-duplicate = read twice
log-odd-decode-limit = still encoded after six rounds and not looked at any further
log-unrecognised = more than one line in ten is of no known format: { NUMBER($unread) } of { NUMBER($lines) }
log-unrecognised-remedy = `relight watch parse FILE` shows each with its reason; `--format NAME` names the format
log-format-changed = its lines are of the format { $to } now, and no longer of { $from }
log-format-lost = its lines are no longer of the format { $from }, and most are of none that is known
log-format-changed-remedy = look at what the product writes since its last update; what is not read is not watched
no-such-log-format = there is no log format “{ $name }”
no-such-log-format-remedy = auto, or one of: { $names }
no-network = “{ $text }” is not an address or a network
no-network-remedy = for example 203.0.113.0/24
no-zone = “{ $text }” is no zone that is known here
no-zone-remedy = an offset such as -05:00, or a name of the system's tables of zones such as America/Montreal
export-alone = a file of { $format } holds one campaign
export-alone-remedy = name one (relight watch campaigns), or take all as { $formats }
log-journal-binary = message of a journal that is no text
log-line-short = too short for a log line
log-address-invalid = does not start with an address
log-status-invalid = status code that cannot be read
log-bytes-invalid = size that cannot be read
log-time-missing = without a time
log-time-invalid = time that cannot be read
log-quote-missing = missing quotation mark
log-quote-open = quotation mark that is not closed
log-quote-unexpected = unexpected quotation mark
campaigns-found = { NUMBER($count) } { $count ->
    [one] campaign
   *[other] campaigns
 }
campaign-reach = { NUMBER($days) } { $days ->
    [one] day
   *[other] days
 }, { NUMBER($organisations) } { $organisations ->
    [one] organisation
   *[other] organisations
 }, { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }, { NUMBER($sources) } { $sources ->
    [one] address
   *[other] addresses
 }
confidence = confidence { $value }
actors-no-sector = no organisation is in the sector { $sector }
actors-no-sector-remedy = the sectors of this register: { $known }
no-such-campaign = there is no campaign { $id }
no-such-campaign-remedy = relight watch campaigns shows them
campaign-part = { NUMBER($contacts) } { $contacts ->
    [one] contact
   *[other] contacts
 }, { $points } points
campaign-decision = total { $likelihood } points, threshold { $threshold }
campaign-change = without “{ $class }”: { $confidence }
campaign-who = For { NUMBER($days) } { $days ->
    [one] day
   *[other] days
 }, { NUMBER($sources) } { $sources ->
    [one] address has
   *[other] addresses that behave alike have
 } tried { NUMBER($doors) } { $doors ->
    [one] door (a page where intruders look for a way in)
   *[other] doors (pages where intruders look for a way in)
 } of { NUMBER($organisations) } { $organisations ->
    [one] organisation.
   *[other] organisations.
 }
campaign-strangers = For { NUMBER($days) } { $days ->
    [one] day
   *[other] days
 }, { NUMBER($sources) } { $sources ->
    [one] address has
   *[other] addresses have
 } tried { NUMBER($doors) } { $doors ->
    [one] door (a page where intruders look for a way in)
   *[other] doors (pages where intruders look for a way in)
 } of { NUMBER($organisations) } { $organisations ->
    [one] organisation.
   *[other] organisations.
 }
campaign-gathered = These are single addresses, each with a few tries and a program like everybody’s. Nothing ties them to each other: so look robots that try the whole internet. They are one line here because they are many; --json has each.
campaign-emerging = A new door: { $door }. Strangers at several organisations began to try it within three days, and nobody did before. No known flaw belongs to it: look at what answers there.
campaign-spike = A surge at { $door }: far more addresses than is usual at that hour of the week.
campaign-sector = { $door } was tried in one sector more often than chance explains, by addresses that have nothing else in common.
campaign-traversal = Some requests tried to climb out of the folder of the web server, to files of the system. Nothing shows whether that would have worked.
campaign-payloads = payloads of exploits
campaign-looked-for = What was looked for: { $doors }.
campaign-rate = About { NUMBER($tries) } { $tries ->
    [one] try
   *[other] tries
 } a day.
campaign-rate-low = Less than one try a day: no alarm that counts minutes sees it.
campaign-alike = They have in common: { $what }.
campaign-tie-agent = the name of program that they give ({ $name })
campaign-tie-callback = the host that their payloads would have had a product ask ({ $host })
campaign-tie-client = the program that they use ({ $client })
campaign-tie-tls = the way in which their program opens encrypted connections ({ $client })
campaign-aim = Aimed at: { $sectors }.
campaign-aimless = No sector is aimed at more than another.
campaign-attempts = { NUMBER($count) } { $count ->
    [one] request with a trap
   *[other] requests with a trap
 } arrived. Software that has the flaw { $flaws } would have fetched a program from { $hosts } and run it.
campaign-affected = { NUMBER($count) } { $count ->
    [one] site was
   *[other] sites were
 } vulnerable at that hour: { $sites }. Check for signs: connections outwards, new files, new accounts.
campaign-unknown = Of { NUMBER($count) } { $count ->
    [one] site nobody knows whether it was
   *[other] sites nobody knows whether they were
 } vulnerable, for want of an inventory of that hour: { $sites }.
campaign-clear = { NUMBER($count) } { $count ->
    [one] site was
   *[other] sites were
 } certainly not vulnerable at that hour.
campaign-signs = Signs of compromise: { $what }. Isolate, keep evidence, call your response team.
campaign-to-do = To do: patch the known flaws, turn on multi-factor authentication, log more.
campaign-flaws = { NUMBER($count) } { $count ->
    [one] request
   *[other] requests
 } arrived that only somebody makes who uses { $flaws }: on a product with that flaw it would have done what the flaw allows.
campaign-matched = { NUMBER($tried) } of your { NUMBER($running) } { $running ->
    [one] site
   *[other] sites
 } that run { $product } { $tried ->
    [one] was
   *[other] were
 } tried.
campaign-matched-unknown = Of { NUMBER($count) } { $count ->
    [one] site that was tried as well nobody knows whether it runs it.
   *[other] sites that were tried as well nobody knows whether they run it.
 }
campaign-matched-aimed = That is more than chance explains: this looks for those who run it.
campaign-silent = { NUMBER($count) } { $count ->
    [one] site of the register sent no logs at that time: nobody knows whether it was tried.
   *[other] sites of the register sent no logs at that time: nobody knows whether they were tried.
 }
campaign-no-site = unregistered site
campaign-and-more = { $named } and { NUMBER($more) } more
sign-connection = connection to
sign-name-query = name query for
sign-answer = answer to
signs-line = not a line that can be read
signs-line-remedy = time,site,kind,host with a site of the register and the kind connection, name-query or answer; the other lines hold
signs-refused = “no signs” cannot be said of { $site }
signs-refused-remedy = read the logs of these days with relight watch ingest, write in outbound.csv on which days somebody looked at what the site sent out (first day,last day,site,who), mend the lines of signs.csv that cannot be read, or leave --signs unknown
signs-were-seen = { NUMBER($count) } { $count ->
    [one] sign was
   *[other] signs were
 } seen since it had the flaw (signs.csv)
signs-gap-since = no inventory says since when it had { $flaw }
signs-gap-inbound = no log of { $day } was read
signs-gap-outbound = nobody looked at what it sent out on { $day }
signs-gap-unread = line { NUMBER($line) } of signs.csv cannot be read, and may be a sign
outbound-line = not a line that can be read
outbound-line-remedy = first day,last day,site,who with a site of the register; the other lines hold
not-judged = about { NUMBER($percent) }% of all addresses did not fit into memory: nobody looked at them, and at the others as always
not-judged-remedy = erase old logs, or keep fewer days of them: the limit is one of contacts
known-line = not a line that can be read
known-test-scope = a test names no places and no two people: it silences nothing
known-two-names = what was agreed needs two different names: who asked and who agreed
known-place = a place that is no organisation and no site of the register
known-line-remedy = reason,name,network[,first day,last day[,where,who asked,who agreed]], where with organisations and sites and a semicolon in between; a test needs all of it; the other lines hold
campaign-spoofed = It calls itself { $names }, from addresses that your own list gives to nobody of that name.
campaign-known = Known and harmless by your own list: { $names }.
known-crawler = crawler
known-research = research project
known-monitor = monitor
known-own-scanner = own scanner
known-partner = partner
known-test = authorised test
contact-exploit = attempt that would have worked on its product
contact-attempt = attempt that nothing shows would have worked
contact-flaw = request that uses a known flaw
contact-new-door = strangers at a door that nobody tried before
contact-sector = tries in one sector, beyond chance
contact-surge = far more addresses than is usual at that hour
contact-traversal = climbing out of the folder of the web server
contact-in-use = door in daily use
contact-group = new doors, tried by clients that look alike
contact-probe = known door of the catalogue
contact-refused-cold = refused to a stranger
contact-not-found-cold = missing path asked for by a stranger
contact-refused-warm = refused to a regular visitor
contact-not-found-warm = missing path asked for by a regular visitor
contact-name-claimed = name of a scanner of your list, claimed from another address
contact-stray-host = a host that is an address, or a name of no site
contact-stray-host-known = a name of no registered site, which answers others
contact-dropped-cold = connection of a stranger that was dropped
contact-dropped-warm = dropped connection at a port that answers others

### Audit log.

journal-intact = { NUMBER($entries) } { $entries ->
    [one] entry
   *[other] entries
 }, intact, head { $head }
journal-broken = entry { NUMBER($seq) } of the journal is not as it was written: { $why }
journal-broken-remedy = the entries before it are whole: keep a copy of the folder, restore the newest backup that relight audit verify finds whole, and start again; what is dark there without an order stays so and is told (relight edge check)
fault-sequence = an entry was removed, added or moved
fault-previous = it does not follow the one before
fault-hash = its fields do not have its hash
fault-unreadable = a field cannot be read
fault-tail-missing = the end is missing
journal-approvals = Approvals of plans and acceptances: { NUMBER($signed) } signed by passkeys, each over what it is about; { NUMBER($unsigned) } without a signature
fault-approval = what stands beside the approval is no signature of a key of that person over what is approved
head-written = head of { NUMBER($entries) } { $entries ->
    [one] entry
   *[other] entries
 } signed: { $file }
head-key = key: { $key }
head-elsewhere = keep it on another machine, and the key beside it: relight audit verify --head FILE --key KEY
drill-unagreed = { $sites ->
    [one] { NUMBER($sites) } marked site
   *[other] { NUMBER($sites) } marked sites
} (vital: { NUMBER($vital) }) that a drill would close: on the word of one person it closes { NUMBER($max) } at most, and no vital one
drill-unagreed-remedy = name them in [drill] sites of policy.toml, which is signed and confirmed by another person; or take marks off: relight sites set SITE drill_ok=no
drill-report-written = signed report: { $file }, key { $key }
drill-report-good = rehearsed by { $by }, { $at }; signed with the key { $key }
report-unreadable = this is no signed report of a drill
report-unreadable-remedy = give the file that `relight drill --report FILE` wrote
report-signature = it is not what was signed
report-signature-remedy = do not rely on it: ask for the file as it was written
report-other-key = another key signed it
report-other-key-remedy = name the key that you trust: --key KEY
head-inside = { $folder } is inside the data folder
head-inside-remedy = whoever changes the journal there could take the head away with it: name another place
head-no-key = whose signature counts is not known
head-no-key-remedy = name the key that `relight audit head` showed: --key KEY
head-broken = the journal is not the one of the head that was signed at entry { NUMBER($entry) }: { $why }
head-file-broken = the journal was not compared with { $file }: { $why }
head-file-broken-remedy = give a file that relight audit head wrote, and the key that signed it
heads-again = { $folder }: signed heads of the journal are written again
heads-agree = { NUMBER($count) } { $count ->
    [one] signed head agrees
   *[other] signed heads agree
 }
fault-head-unreadable = the file is no head
fault-head-signature = the signature is of something else
fault-head-other-key = another key signed it
fault-head-missing = the journal is shorter than it was
fault-head-differs = its entry is another one: the journal was written anew
journal-unreadable = the journal cannot be read
journal-unreadable-remedy = relight audit verify checks the journal
status-as-of = As of entry { NUMBER($entry) } of the journal
status-pace = { $rate } sites an hour, the last return on { $last }; those last seen dark ({ $dark }) back around { $zero } (between { $soon } and { $late })
status-pace-stalled = No site has come back since { $last }; until then { $rate } an hour did. Dark by their last proof: { $dark }
status-pace-then = At the pace of December 2021, { $rate } sites an hour, around { $zero }
column-verdict = Answer

serve-console = Console: { $address }
serve-public = Public page: { $address }
serve-feeds = Advisories are read from { $path } as soon as they are there. Ctrl-C ends the server; the edges stay as they are.
serve-console-open = the console cannot listen on { $address }: it has no sign-in, so only this machine may reach it
serve-console-open-remedy = use an address like 127.0.0.1:8420, and reach it from elsewhere through ssh -L
stage-folder = this data folder is that of a drill: everything in it is shown as a drill, without feeds and certificates
stage-folder-remedy = what is real needs another data folder: --data DIR
stage-no-drill = no drill can begin in { $folder }: its journal has incidents, and they may be real
stage-no-drill-remedy = import sites into another data folder, and rehearse there: relight serve --drill --data DIR
serve-cannot-listen = cannot listen on { $addresses }
serve-cannot-listen-remedy = see what uses the port, or name other addresses with --listen and --public-listen
and-more-sites = … and { NUMBER($count) } more { $count ->
    [one] site
   *[other] sites
 }
incident-list-empty = No incident, and nothing that asks for one
incident-listed-open = { $id }  open since { $opened }, { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
incident-listed-closed = { $id }  closed, opened { $opened }, { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
incident-proposed = { $advisory }  proposed: { NUMBER($affected) } { $affected ->
    [one] site
   *[other] sites
 } affected, { NUMBER($possible) } perhaps
match-list-differs = the nightly full match found other sites than the list that followed each change; the full match answers from now on
match-list-differs-remedy = a fault of relight: please report it with match-differences.jsonl of the data folder

### Fingerprint databases.

fingerprints-learnt = { NUMBER($classes) } classes of { NUMBER($releases) } { $releases ->
    [one] release
   *[other] releases
 } learnt into { $database }
fingerprints-unnamed = nothing names this archive for certain; it is not learnt
fingerprints-unread = not read whole, so not learnt: { $why }
fingerprints-nothing = no archive with classes and a name was found
fingerprints-nothing-remedy = name jars, or a folder in the layout of a Maven repository
fingerprints-count = { NUMBER($artifacts) } { $artifacts ->
    [one] library
   *[other] libraries
 }, { NUMBER($releases) } { $releases ->
    [one] release
   *[other] releases
 }
fingerprints-kept = { $database }: fingerprints of { NUMBER($artifacts) } { $artifacts ->
    [one] library
   *[other] libraries
 }, for the scans from now on
fingerprints-same = { $database }: the same fingerprints as before
fingerprints-older = { $database }: older fingerprints than those that are kept; not taken
fingerprints-undated = { $database }: other fingerprints than those that are kept, and nothing says which are newer; not taken
fingerprints-undated-remedy = learn the newer one again: relight fingerprints learn notes when
fingerprints-twice = two databases of this folder are called { $database }; the first one is kept
fingerprints-twice-remedy = give each of them a name of its own
fingerprints-installed = { $database }: { NUMBER($artifacts) } { $artifacts ->
    [one] library
   *[other] libraries
 }, { NUMBER($releases) } { $releases ->
    [one] release
   *[other] releases
 }, made { $built }, kept since { $kept }: { $path }
fingerprints-installed-damaged = damaged: no scan goes on while it is kept
fingerprints-kept-unusable-remedy = take it anew (relight advisories update --offline DIR), or do without what it knew: relight fingerprints remove { $database }
fingerprints-removed = { $database }: removed, with { NUMBER($artifacts) } { $artifacts ->
    [one] library
   *[other] libraries
 }; { NUMBER($lost) } { $lost ->
    [one] release is
   *[other] releases are
 } known to no other database
fingerprints-would-remove = { $database }: would be removed, with { NUMBER($artifacts) } { $artifacts ->
    [one] library
   *[other] libraries
 }; { NUMBER($lost) } { $lost ->
    [one] release would be
   *[other] releases would be
 } known to no other database
fingerprints-removed-damaged = { $database }: removed; it was damaged, and nothing says what it knew
fingerprints-would-remove-damaged = { $database }: would be removed; it is damaged, and nothing says what it knew
fingerprints-removed-effect = scans name these no more; inventories do until they are scanned again, and what is affected by such a name alone is not found affected then
fingerprints-absent = no fingerprint database of this name is kept: { $database }
fingerprints-absent-remedy = see which are: relight fingerprints list
fingerprints-intact = { $database }: intact, { $digest }
fingerprints-closed = this account may not read the fingerprint databases here, so what only they name is not found
fingerprints-closed-remedy = let this account read the folder, or give --data another one
fingerprints-unusable = the fingerprint database { $database } cannot be used
fingerprints-unusable-remedy = learn it again, or take it from where it came from

### Query by example.

alike-summary = { NUMBER($affected) } of { NUMBER($total) } { $total ->
    [one] site has
   *[other] sites have
 } something alike, { NUMBER($unknown) } unknown, { NUMBER($clear) } clear
column-of-example = Of the example
column-of-place = Of the place
column-place = Place
alike-more = … and { NUMBER($count) } more { $count ->
    [one] site
   *[other] sites
 } (--paths shows all)
alike-nothing = nothing of { $file } can be compared
alike-nothing-remedy = what has less than 64 bytes, or classes without code, says nothing; another file, or another --part
alike-example-incomplete = the example could not be read to its end; what is in it besides was not asked
alike-only-archives = { $file } has no code of Java: it is looked for in archives, not among loose files
alike-part = { $file } holds { NUMBER($count) } archives; --part PREFIX asks about one part (--part BOOT-INF/lib/x.jar!/)
alike-unknown-remedy = an inventory shows what archives are made of after relight scan TARGET --site SITE
public-exported = { NUMBER($files) } { $files ->
    [one] file
   *[other] files
 } written: { $folder }
public-cannot-write = cannot write the public page in { $folder }
public-cannot-write-remedy = check the space and the rights of the folder; the old page is still there
public-nothing-there = there is no public page in { $folder }
public-nothing-there-remedy = relight public export writes it; relight serve keeps it up to date
public-cannot-listen-remedy = see what holds the port, or give another address with --listen
### Faults of an edge's configuration.

lint-gate-missing = serves visitors without the gate
lint-gate-missing-remedy = paste the gate of `relight edge config` into this block
lint-gate-narrowed = the gate is closed for some requests only: others reach the dark origin
lint-gate-narrowed-remedy = leave only the conditions of `relight edge config` on the way to the 503
lint-gate-marker-missing = the dark answer does not name the gate: no proof of dark is possible
lint-gate-marker-missing-remedy = add the header X-Relight-Gate to the 503 of the gate
lint-gate-header-kept = lets an origin send X-Relight-Gate itself: a lit site would pass as dark
lint-gate-header-kept-remedy = remove that header from answers of the origin, here too
lint-gate-by-admin = the gate is switched through the administration interface, and lost at a reload
lint-gate-by-admin-remedy = let a file matcher look for the gate, as `relight edge config caddy` does
lint-site-key-missing = has the gate and no site key: the gate never closes
lint-site-key-missing-remedy = set the key of the site before the gate
lint-site-key-invalid = this site key cannot be a key
lint-site-key-invalid-remedy = small letters, digits and . _ @ -, as in the register
lint-site-key-twice = this site key stands for another site already
lint-site-key-twice-remedy = give each site the key that it has in the register
lint-key-from-client = the key comes from what the client sends: other spellings of the name get past the gate
lint-key-from-client-remedy = write the key of the site itself
lint-pattern-name = the name is a pattern and the key is not a word of its own
lint-pattern-name-remedy = set a literal key in this block
lint-barrier-fails = its second barrier does not do what it was told, although it may have said so
lint-barrier-fails-remedy = relight edge list names it as an edge of its own: look at that one; what it holds and may be lit is opened there, or by hand
lint-edge-untrusted = was caught three times within 30 days, the first time then: it said that it is dark, and visitors got in; no drill passed since
lint-edge-untrusted-remedy = mend what let them in, then: relight drill --edges NAME
lint-drill-interrupted = a drill was interrupted, and what it closed was not seen lit since
lint-drill-interrupted-remedy = relight serve opens it by itself, as does the next: relight drill --edges NAME
lint-host-spelling = visitors get past the closed gate with this spelling of the name
lint-host-spelling-remedy = key the gate by the site that the proxy resolved, never by what a visitor sent: relight edge config
lint-spelling-untold = a spelling of its name led past its gate, and nobody can tell here whether one still does
lint-spelling-untold-remedy = relight edge check on the machine that reaches the edge, while the origin answers
lint-http2-unspoken = this listener under TLS does not speak HTTP/2: what is known of it is what HTTP/1 shows
lint-http2-unspoken-remedy = nothing, unless it should speak it: relight edge config
lint-default-open = names that nobody serves end in a site
lint-default-open-remedy = answer them with 421, before every site
lint-file-cache-errors = missing gate files are remembered: dark comes seconds late
lint-file-cache-errors-remedy = open_file_cache_errors off
lint-file-cache = files of the gate are remembered: relight comes late
lint-file-cache-remedy = open_file_cache off where the gate is
lint-acme-proxied = certificate challenges reach the dark origin
lint-acme-proxied-remedy = answer them at the edge, from a folder
lint-real-ip-unix = a client can pass as the verification socket
lint-real-ip-unix-remedy = remove set_real_ip_from unix:
lint-include-glob = an include by pattern in every site makes reloads very slow
lint-include-glob-remedy = include the file by its name
lint-hsts-lost = the 503 lacks the HSTS header of the site
lint-hsts-lost-remedy = repeat it where the gate answers
lint-no-shutdown-timeout = old workers may serve for ever after a reload
lint-no-shutdown-timeout-remedy = set a limit (worker_shutdown_timeout, GracefulShutdownTimeout)
lint-no-hard-stop = old workers may serve for ever after a reload
lint-no-hard-stop-remedy = hard-stop-after 30s
lint-no-admin-socket = no runtime socket of level admin: the gate cannot be switched
lint-no-admin-socket-remedy = stats socket PATH mode 600 level admin
lint-map-shared = another rule looks into the map of the gate
lint-map-shared-remedy = give it a map of its own
lint-bufsize-too-small-remedy = tune.bufsize 16384, or remove the line
lint-rewrite-off = the gate is written down and rewriting is off
lint-rewrite-off-remedy = RewriteEngine On in this virtual host
lint-canonical-name-off = SERVER_NAME is what the client sends
lint-canonical-name-off-remedy = UseCanonicalName On, or the key itself in the condition
lint-define-in-map = a defined value inside of a map is not expanded: the gate never closes
lint-define-in-map-remedy = write the key itself
lint-hold-proxied = the holding page would be asked of the closed origin
lint-hold-proxied-remedy = ProxyPass /.relight/ ! before the others
lint-config-torn = blocks do not fit together
lint-config-torn-remedy = mend the braces or sections; the rest was read as far as possible
lint-config-not-named = nobody looks at its configuration: what would leave a site lit there is not told
lint-config-not-named-remedy = register it again with --set config=FILE; until then: relight edge lint FILE
lint-include-unreadable = an included file cannot be read
lint-include-unreadable-remedy = make it readable: what is in it is unknown
lint-include-limit = includes go too deep, or are too many
lint-include-limit-remedy = at most 16 levels and 20,000 files
lint-no-site = no site was found in this configuration
lint-no-site-remedy = name the main file, and its kind with --kind
lint-agent-finding = the agent found something that this version has no words for
lint-agent-finding-remedy = install the version of the agent here, or read there what it says
lint-reload-slow = so many sites that a reload takes more than a second
lint-reload-slow-remedy = nothing to do for the gate: it needs no reload
lint-gate-path-missing = the gate that it looks into is not there: every site stays lit
lint-gate-path-missing-remedy = relight edge add creates it; use the same path
lint-gate-other-path = looks into another gate than the one of this edge
lint-gate-other-path-remedy = use the path that `relight edge list` shows
lint-listener-unregistered = sites are served at an address that the edge is not registered with: nobody looks there
lint-listener-unregistered-remedy = register the edge with --listen for every address that visitors reach
lint-gate-on-tmpfs = the gate is in memory and lost at a reboot
lint-gate-on-tmpfs-remedy = put it on a disk
lint-verify-open-to-others = any account of this machine passes the gate by this socket
lint-verify-open-to-others-remedy = keep it to the group of testers (mode 660), or its folder (mode 750)
lint-canary-not-dark = the canary was closed and not seen dark
lint-canary-not-dark-remedy = paste the canary of `relight edge config` and reload the edge
edge-linted = { NUMBER($gated) } of { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } behind the gate, { NUMBER($found) } { $found ->
    [one] finding
   *[other] findings
 }
edge-kind-unknown = { $path } does not look like a configuration that is known
edge-kind-unknown-remedy = name its kind: --kind nginx, haproxy, apache or caddy
edge-discovered = { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } found, { NUMBER($keyless) } without a gate yet
edge-discovered-remedy = fill in organisation and sector, then: relight sites import FILE.csv
drill-reach = the edge answers, and nothing else on it is dark
drill-lint = its set-up has no error
drill-dark = goes dark, proven
drill-hosts = no spelling of the name gets past the gate
drill-tunnels = connections that were upgraded before are gone
drill-reload = a reload by other hands lights nothing
drill-redeployed = other artifacts are dark until somebody looked at them
drill-behind = testers reach it behind the gate
drill-fence = an older controller is refused
drill-restart = a restarted controller finds it dark and keeps it so
drill-relight = comes back under clear evidence, proven twice
drill-revised = a revised advisory makes it dark again
drill-return = everything is lit as it was found
drill-untried = (not tried: there is nothing of the kind on this edge)
drill-summary = { $edge }: { NUMBER($done) } of { NUMBER($steps) } steps passed, { NUMBER($keys) } { $keys ->
    [one] key
   *[other] keys
 } touched
drill-no-edge = no edge is in the register
drill-asked = { $edge }: the server rehearses there
drill-marks-changed = { $edge }: other sites are marked for drills now than when it was asked for: nothing was closed
drill-again-remedy = ask once more
drill-busy = { $edge }: another drill runs there: nothing was closed
drill-busy-remedy = wait for its end, then ask once more
drill-gone = { $edge }: the server that rehearsed is gone, or was started anew: nobody knows what the drill showed
drill-gone-remedy = the next relight serve ends it in the journal and opens what it closed; then ask once more
drill-not-begun = the server that runs did not take into the journal that a drill begins: nothing was closed
drill-not-begun-remedy = relight doctor says how the server does; then ask once more
drill-too-old = { $edge }: the server came to it too late, or its clock was set: nothing was closed
drill-replaced = { $edge }: somebody asked for another drill there before this one began
drill-failed = { $edge }: the server could not rehearse, or not write what that showed: { $why }
drill-unanswered = { $edge }: a server runs, and did not say in time what a drill shows there: it may be rehearsing on another edge
drill-unanswered-remedy = wait a while, then ask once more; relight audit export says what was rehearsed
drill-left = the server that runs takes what the drill showed as soon as it can: `relight edge check` tells when it counts
edge-repair-by-server = a server runs, and brings its edges back by itself: waiting until they show what the journal wants
check-arrow = a check says what a request must give, after an arrow
check-request = a check asks with GET or HEAD, and nothing else
check-path = what a check asks for begins with / and is a path and query of at most 1,024 bytes, in ASCII (%C3%A9 for é), without blanks and #
check-status = a site that works answers with a status of 200 to 499
check-text = the text of a check has at most 256 bytes, on one line
check-head = the answer to HEAD holds no text
check-many = a site has at most 32 checks
check-utf8 = this is no UTF-8
check-site = this is no short name of a site
check-remedy = write [GET|HEAD] /PATH -> STATUS TEXT, one of the two or both, for example /booking -> 200 Book
checks-told = { $checks ->
    [one] 1 check
   *[other] { NUMBER($checks) } checks
 } of { $sites ->
    [one] 1 site
   *[other] { NUMBER($sites) } sites
 }
column-check = Check
mark-both = { $site } cannot be both protected and drilled
mark-both-remedy = take the other mark off first
engine-not-clear = no current evidence calls the site clear
engine-not-clear-remedy = scan it again, or let two people answer for it on the page of the site
entry-acceptance-proposed = a second person is asked to answer for it
acceptance-takes-two = two people answer for a site that no evidence calls clear, and the command line knows one
acceptance-takes-two-remedy = relight serve, then ask on the page of the site: /site/{ $site }
held-plan-reason = news of them would darken more sites than may go dark without an order
held-plan-over = what waits changed
on-reason = current evidence calls them clear
acceptance-waits = { $site }: a second person has to agree
exempt-not-clear-remedy = scan it again, or let two people answer for it: relight serve, then ask on /site/{ $site }
site-exempt = { $site }: may stay online
site-mitigated = { $site }: behind a control, still dark; it returns when two people answer for it
payloads-blocked = { NUMBER($blocked) } of { NUMBER($sent) } requests with a payload were stopped
payloads-blocked-remedy = a control that lets one through is none: the site stays affected
payloads-unusable = { $path } holds no payloads that can be sent
payloads-unusable-remedy = one payload a line, at most 1,000 of at most 4,096 bytes, without control characters
payloads-unsent = these payloads cannot be sent
payload-at = line { NUMBER($line) }: { $why }
payload-none = there is none
payload-too-many = more than 1,000
payload-too-long = longer than 4,096 bytes
payload-control = it holds a control character (a tab, for one), and is sent as it stands or not at all
payload-blank = it is empty
payload-not-text = it is not UTF-8
analysed = { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } looked at, { NUMBER($unknown) } still unknown
undo-nothing = there is no order that could be taken back
undo-nothing-remedy = relight incident log shows the orders; each may be taken back for ten minutes
undone = order taken back: { NUMBER($opened) } { $opened ->
    [one] site returns
   *[other] sites return
 }, { NUMBER($kept) } { $kept ->
    [one] stays
   *[other] stay
 } dark without clear evidence
edge-left-lit = stays out of the plan: { NUMBER($sites) } { $sites ->
    [one] site of it stays lit
   *[other] sites of it stay lit
 }
plan-renamed = visitors reach { $sites } under other names than those that were shown
plan-renamed-remedy = nothing was changed: look at the names, and make the plan again
plan-edge-refused = the plan is refused: the set-up of { $edges } would leave sites lit
plan-edge-refused-remedy = mend what is named above; in an emergency: --break-glass
edge-will-be-exposed = cannot be used: { NUMBER($sites) } { $sites ->
    [one] site counts
   *[other] sites count
 } as exposed
edge-has-tunnels = { $edge }: { NUMBER($open) } open { $open ->
    [one] connection
   *[other] connections
 } will be cut
plan-shares = { NUMBER($sites) } { $sites ->
    [one] site outside of the plan shares
   *[other] sites outside of the plan share
 } something with a site in it
column-vendor = Vendor
column-ordered = Taken dark
column-relit = Relit
column-product = Component
column-action = Action
column-dark-minutes = Dark (min)
column-exposed-minutes = Exposed (min)
action-updated = updated
action-not-affected-any-more = not affected any more
action-none-needed = none needed
action-exempt = exempt
action-mitigated = mitigated
action-removal-not-proven = removal not proven
action-removed-from-network = removed from the network
action-risk-accepted = risk accepted
action-mitigated-risk-accepted = mitigated, risk accepted
action-not-examined = not examined
action-left-online = left online
report-of = Report on { $id }
report-made = Made on { $at }; the incident was opened on { $opened }.
report-sources = Whose records it rests on
report-summary = { $id }: { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } in scope
edge-not-running = write its configuration with relight edge config, start it, then try it with relight edge test
waves-stopped = more than one in a hundred did not come back: { NUMBER($sites) } { $sites ->
    [one] site stays
   *[other] sites stay
 } dark
waves-held = { NUMBER($sites) } { $sites ->
    [one] site was
   *[other] sites were
 } not opened: another incident keeps them dark, or what was known of them changed

relight-stopped = too many did not come back behind their edge, or behind the first ten edges, so relight opens no more there by itself: { NUMBER($sites) } { $sites ->
    [one] site waits
   *[other] sites wait
 }
relight-stopped-remedy = look at the edges (relight edge check), then open them with relight incident on
relight-left-remedy = open them with relight incident on
relight-left = a relight plan ended before it opened them, or was taken back: { NUMBER($sites) } { $sites ->
    [one] site waits
   *[other] sites wait
 } for a person
parts-stopped = too many parts did not come back behind their edge, or behind the first ten edges, so relight opens no more there by itself: { NUMBER($parts) } { $parts ->
    [one] part waits
   *[other] parts wait
 }
parts-stopped-remedy = look at the edges (relight edge check), then open them with relight incident on --sites … --part …
held-back = { NUMBER($sites) } { $sites ->
    [one] site should be dark by the newest evidence, and waits for an order
   *[other] sites should be dark by the newest evidence, and wait for an order: protected, out of reach of the one that was given, or more than news may darken
 }
held-back-remedy = look at what changed; then relight incident off --sites state:exposed --reason "…"
restored-holds = { NUMBER($sites) } { $sites ->
    [one] site stays dark: what calls it clear is known from before the register came back from an older copy
   *[other] sites stay dark: what calls them clear is known from before the register came back from an older copy
 }
restored-holds-remedy = scan them again (relight scan PATH --site SITE), or let two people sign for them
entry-held-back = held back: protected, out of reach of an order, or too many to darken without one
doctor-store = store
doctor-files = files
doctor-file-open = others may read or change { $path }
doctor-file-left = a run that died left { $path }
doctor-mends-mode = { $path } is closed to others (chmod { $mode })
doctor-mends-left = { $path } is cleared away
doctor-mended = mended
doctor-would = would be mended
doctor-nothing-to-mend = nothing to mend by itself
doctor-not-mended-remedy = run it again, when no other command of relight runs there
doctor-sites = { NUMBER($count) } { $count ->
    [one] site
   *[other] sites
  }, the file is whole
doctor-journal-whole = { NUMBER($entries) } { $entries ->
    [one] entry
   *[other] entries
  }, intact
doctor-journal-broken = the chain of digests is broken
doctor-clock-right = after the last entry of the journal
doctor-clock-behind = { NUMBER($seconds) } s before the last entry of the journal: evidence would be judged by a wrong age; set the clock
doctor-space-free = { NUMBER($mebibytes) } MiB free
doctor-unread = { NUMBER($count) } { $count ->
    [one] flaw is unknown
   *[other] flaws are unknown
 } where nothing is found: a record that was kept cannot be read any more
doctor-advisories = advisories
doctor-no-sources = only the four built-in ones
doctor-inventories = inventories
doctor-no-gaps = { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
  } can be answered for and switched
doctor-gaps = { NUMBER($wanting) } of { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
  } cannot be answered or switched yet
doctor-edge = edge
doctor-no-edge = none: no site can be taken dark
doctor-unencrypted = { $edge }: other machines reach { $address } without TLS, and it starts with --unencrypted only
doctor-holding-outdated = { NUMBER($sites) } { $sites ->
    [one] dark site would not show how else it is reached, as the register says it
   *[other] dark sites would not show how else they are reached, as the register says it
 }
doctor-operator = operator
doctor-policy = policy
doctor-keys = passkeys
doctor-policy-signed = signed with the key of the register
doctor-controlled = a server controls the edges
doctor-no-controller = nobody, and no incident is open
doctor-incident-alone = nobody keeps the edges as { NUMBER($count) } open { $count ->
    [one] incident wants
   *[other] incidents want
  } them
doctor-journal = journal
doctor-clock = clock
doctor-space = space
doctor-controller = controller
doctor-restored = restored register
lint-drill-missing = this kind of edge is believed after a drill only: until then no site counts as proven dark
lint-drill-missing-remedy = rehearse it: relight drill --edges NAME
lint-drill-untried = is only said of this edge, and its last drill could not try it: until one does, no site counts as proven dark
lint-drill-untried-remedy = name what reloads it (--set reload=…), mark a site for drills that has WebSockets, or say upgrades=refused; then: relight drill --edges NAME
lint-reload-untried = nothing is named that reloads this one: whether it keeps its gate over that was not tried
lint-reload-untried-remedy = register it with --set reload=…, then rehearse again
lint-tunnels-untried = no connection could be upgraded through this one: whether such connections are cut was not tried
lint-tunnels-untried-remedy = mark a site for drills that has WebSockets there, or register it with --set upgrades=refused; then rehearse again

account-no-reason = why is not said
account-no-reason-remedy = say it with --reason: the journal and everybody who signs in are told
# url
account-no-address = { $url } is no address of a console: https and a name, or localhost
account-no-address-remedy = give the one that relight serve has: --console-url https://relight.example
account-refused-remedy = relight audit export shows who was granted what; an admin who can come in does all this on the page /accounts
# account
account-link = With this link { $account } registers a new key within 24 hours, once a server runs; the keys, tokens and sign-ins of before are worth nothing.
account-second = An admin may grant one commander or approver alone, once.
account-told = The journal says so, and everybody who signs in is told.
token-shown = It is shown this once, and is good until { $until }.
token-revoked = Token { NUMBER($number) } is worth nothing any more.
token-none = There is no token.
token-dead = dead
token-column-number = No.
token-bad-role = the role or the place is not one
token-bad-role-remedy = roles: { $names }; a place is “/”, sector, or sector/body
token-refused-remedy = relight token list; accounts and roles are on the page /accounts of the console
token-failed = the token was neither made nor ended
token-failed-remedy = make room or mend the data folder, then run the command again; relight token list shows what holds
accounts-unreadable = the accounts of the register cannot be read
accounts-unreadable-remedy = relight doctor says what is wrong with the data folder
affected-bad-time = “{ $text }” is no moment of the past
affected-bad-time-remedy = write --at 2021-12-10 for the end of a day, or --at 2021-12-10T18:00:00Z

remote-no-token = the token that asks the server is not named
remote-no-token-remedy = relight login --server URL; or relight token create ACCOUNT --role commander --days 30 > FILE, then --token-file FILE
# path
remote-bad-token = { $path } holds no token
remote-unknown = the token is not known there, or has ended
# server, what
remote-refused = { $server } did not do it: { $what }
remote-refused-remedy = sign in there and look at the page /plans
remote-insecure = a token is not sent to this address
remote-insecure-remedy = give an address with https, or http of this machine, without a name or a password in it
# server
remote-unreached = { $server } gives no answer that can be read
remote-unreached-remedy = is it the address of the console, and does it run? --ca names other authorities. Look at its page /plans before asking again: the plan may have come
remote-not-this-question = the answer is none to this question
remote-short = the answer lacks some of what it counts
remote-no-plan = the answer is no plan
# seats, sites
remote-shown = { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } to switch; { NUMBER($seats) } { $seats ->
    [one] person has
   *[other] people have
 } to agree
# id, signed, seats, expires
remote-waits = waiting for approval  { $id }  { NUMBER($signed) } of { NUMBER($seats) }  until { $expires }

### Configuration.

settings-unreadable = the configuration cannot be read
settings-unreadable-remedy = mend the file or its rights, or name another one with --config FILE before the command
settings-syntax = this is not TOML
settings-syntax-remedy = mend the line; relight config show lists the keys, and docs/en/settings.md shows a file
settings-unknown = unknown key “{ $key }”
settings-all = relight config show lists all keys
settings-secret = “{ $key }” would hold a secret in the clear
settings-secret-remedy = put it into a file that only you read, and name that with token_file
settings-not-here = “{ $key }” may not be set in the folder where a command runs: it may be a stranger’s
settings-not-here-remedy = put it into the relight.toml of your own folder for configuration, or name the file with --config before the command
settings-option = option
settings-default = default
config-key = Key
config-value = Value
config-origin = Set by
run-files = configuration
run-data = data folder
status-register = { $data }  { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
}
status-served = a server controls this register
status-alone = no server runs: relight serve
status-dark = { NUMBER($dark) } of { NUMBER($sites) } dark
login-done = the token for { $server } is kept in { $file }
man-name = Name
man-synopsis = Synopsis
man-exit = Exit status
man-see-also = See also
man-exit-0 = Done; also when the reader of a pipe has seen enough
man-exit-1 = Something could not be read, reached or written; doctor found something that is bad
man-exit-2 = Arguments or configuration cannot be used
man-exit-3 = The answer holds unknown sites
man-exit-4 = A person has to agree first, refused, or did not come in time
man-exit-10 = A threshold that was asked for is met (--fail, --fail-on)
man-written = { NUMBER($count) } { $count ->
    [one] page
   *[other] pages
} in { $folder }
login-open = Open { $page } in your browser, sign in, and type this code:
login-waits = It is good for { NUMBER($minutes) } { $minutes ->
    [one] minute
   *[other] minutes
}, for you alone: give it to nobody. Waiting…
login-granted = let in by { $account }: { $role }, until { $until }
login-unreached-remedy = is it the address of the console, and does it run? --ca names other authorities; then relight login again
login-refused = somebody refused to let this terminal in at { $server }
login-refused-remedy = relight login again, if it was a mistake; else ask who did it: the audit log of the server says (terminal-refused)
login-expired = nobody let this terminal in in time
login-expired-remedy = relight login again, and type the new code
login-bad-days-remedy = --days 1 to 90
login-not-granted-remedy = relight login again; or ask whoever gives roles for the one that is missing
login-forgotten = the server does not know this terminal any more: it was started again meanwhile, or its answer got lost
login-forgotten-remedy = relight login again; if you let it in already, end the token “{ $name }” on the page /me first
login-lost = let in, but the token cannot be kept; it was ended at the server again
login-lost-alive = let in, but the token cannot be kept, and it could not be ended: end “{ $name }” on the page /me of { $server }
login-busy = { $server } has too much to do; asking again in { NUMBER($seconds) } { $seconds ->
    [one] second
   *[other] seconds
}
login-before-alive = the token that was kept for { $server } before could not be ended there: it holds until it is revoked (relight token revoke, or the page /me)
login-ask = Token (it is not shown):
login-no-folder = there is no folder to keep the token in
login-no-folder-remedy = set HOME or XDG_CONFIG_HOME, or give --token-file to each command
logout-done = the token for { $server } is ended there and forgotten here
logout-over = the token for { $server } was over there already; it is forgotten here
logout-only-here = the token for { $server } is forgotten here, but could not be ended there: it holds until it is revoked (relight token revoke, or the page /me)
logout-nothing = no token was kept for { $server }
