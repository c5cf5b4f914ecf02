### The words of coded values: states, verdicts, reasons, flaws, severities, sectors.

state-dark-requested = Dark requested
state-exposed = Affected, still online
state-relit-fixed = Relit after fix
state-online = Online
state-verifying = Verifying
state-fixing = Fixing
state-affected = Affected
state-analysing = Analysing
state-dark = Dark, waiting

verdict-affected = affected
verdict-clear = clear
verdict-unknown = unknown

reason-no-asset = no asset is linked to the site
reason-never-inventoried = an asset was never inventoried
reason-stale = the last inventory is too old
reason-changed-since = something was deployed after the inventory
reason-partial-permission = a part could not be opened
reason-partial-encrypted = a part is encrypted
reason-partial-limit = a part is over a reading limit
reason-partial-corrupt = a part is corrupt
reason-partial-excluded = a part was left out or is not read
reason-declared-only = only a build document exists
reason-possible-match = the name fits, the version is missing or cannot be compared
reason-range-unresolved = the advisory gives no range of versions that can be evaluated

# Why a light is not as it was ordered.
reason-probe-disagrees = the probe contradicts the edge
reason-not-permitted-or-not-proven = the evidence is no longer valid or the probe does not confirm it
reason-functional-or-rescan = the test or the new scan failed
reason-unreachable = the edge does not answer
reason-refused = the edge refused the order
reason-fenced = another controller commands this edge
reason-foreign-edit = somebody else changed the configuration of the edge
reason-lint = the configuration of the edge does not fit
reason-io = input or output error on the edge

warning-advisory-format-unknown = unknown format of advisory
warning-advisory-too-large = advisory too large
warning-cyclonedx-component = unusable CycloneDX component
warning-cyclonedx-flaw = unreadable CycloneDX flaw
warning-cyclonedx-purl = invalid CycloneDX purl
warning-dpkg-bad-status = unreadable dpkg paragraph
warning-maven-bad-pom-properties = unreadable pom.properties
warning-npm-bad-lock = unreadable package-lock.json
warning-npm-bad-package = unreadable package.json
warning-osv-bad-record = unusable OSV record
warning-osv-note = note on an OSV record
warning-python-bad-metadata = unreadable Python metadata

flaw-permission-denied = the system refused to open it
flaw-io-error = reading failed
flaw-encrypted = encrypted; no password is tried
flaw-limit-depth = nested deeper than the limit
flaw-limit-entries = more entries than the limit
flaw-limit-expanded = unpacks to more bytes than the limit
flaw-limit-entry-size = one member is larger than the limit
flaw-limit-class-size = a class file is larger than the limit
flaw-limit-time = took more processor time than the limit
flaw-limit-memory = needs more memory than the limit
flaw-limit-window = its decoder wants more memory than the limit
flaw-truncated = ends too early
flaw-corrupt-entry = a member that cannot be unpacked or read
flaw-crc-mismatch = its check sum is wrong
flaw-zip-overlap = members that share packed bytes
flaw-zip-header-mismatch = two headers that disagree
flaw-zip-boundary-ambiguous = where it ends cannot be told
flaw-class-malformed = a class file that cannot be parsed
flaw-digest-mismatch = not the bytes that its digest promises
flaw-archive-loop = an archive that contains itself
flaw-database-damaged = the fingerprint database is damaged
flaw-method-unsupported = a compression method that is not read
flaw-container-unsupported = a kind of archive that is not read
flaw-link-outside = a symbolic link to somewhere outside the target
flaw-excluded-by-option = left out by an option
flaw-file-system-excluded = a network or user file system, left out unless it is named
flaw-platform-not-chosen = an image for another platform
flaw-changed-during-scan = changed while it was read, twice
flaw-undeclared = the document does not declare itself complete

severity-S0 = background noise
severity-S1 = reconnaissance
severity-S2 = targeted reconnaissance
severity-S3 = exploit attempt
severity-S4 = attempt on a vulnerable site
severity-S5 = signs of compromise

reconnaissance-note = Reconnaissance is not an indication of compromise.

sector-school-service-centres = School service centres
sector-health = Health network
sector-municipal = Municipal boards
sector-colleges-universities = Colleges and universities
sector-finance-revenue = Finance and revenue
sector-justice = Justice
sector-tourism = Tourism
sector-energy = Energy
sector-labour-solidarity = Labour and solidarity
sector-family = Family
sector-economy = Economy
sector-immigration = Immigration
sector-forests-parks = Forests and parks
sector-environment = Environment
sector-transport = Transport
sector-public-safety = Public safety
sector-housing = Housing
sector-culture = Culture
sector-agriculture = Agriculture
sector-research = Research
sector-registers = Registers
sector-archives = Archives
sector-statistics = Statistics
sector-digital-services = Digital services
