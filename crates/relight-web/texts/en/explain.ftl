### Why a component is affected or not: ranks, rules, reasons and flags.

explain-head = { $id }  { $purl }  { $verdict }
explain-not-affected = not affected
explain-by-cpe = by the CPE name that you stated; packages are not asked
explain-no-cpe = no record gives configurations of CPE names
not-a-cpe = this is no CPE name: { $text } ({ $why })
not-a-cpe-remedy = for example cpe:2.3:a:apache:log4j:2.14.1:*:*:*:*:*:*:*
explain-silent = no record names this package
explain-decided = decided by { $source } { $record } ({ $rank }): { $said }
explain-opinion = { $verdict }  { $source } { $record } ({ $rank }): { $said }
explain-said = { $rule } { $interval }
explain-withdrawn = { $source } { $record } was withdrawn { $at }
explain-outside = { $rule }: { $interval }

rank-distribution = the distribution
rank-vendor = vendor or assigner
rank-reviewed = reviewed
rank-community = community
rank-nvd = NVD
rank-own = our own

rule-listed = listed
rule-interval = in
rule-outside = in no interval
rule-rest = said of every other version
rule-tombstone = no version is affected
rule-binding = this package is not the product
rule-commit = by its commit
rule-statement = stated for this version
rule-missing = something is missing

why-version-missing = the version is not known
why-version-unordered = the version has no place in the order of its ecosystem
why-order-inexact = the place of the version in the order is not certain
why-epoch-missing = the epoch of the version is not known
why-release-unknown = the release of the distribution is not known
why-release-perhaps = the record is about a part of this release, or about a release that cannot be compared with it
why-name-only = only a part of the name is known
why-backport-base = a backport, and the suite that it comes from is not in the data
why-stream-unknown = the module stream is not known
why-pseudo-version = a commit of a module whose releases have other numbers
why-several-versions = it may be one of several versions, and they differ
why-platform-unseen = the flaw needs a platform that nobody stated
why-declared-only = only a lock file or a build document names it
why-no-range = the record gives no range
why-git-only = the record gives commits only
why-free-text = the record gives versions as free text
why-all-versions = the record names no version
why-exhibit = the advisory also means files or classes, and the name of a package does not tell: relight affected asks the inventories
why-no-package = no record in force names a package, so that inventories tell nothing about this flaw
why-no-source = no advisory in force speaks of this release, so that silence about the package says nothing
why-unread = a record about this flaw was kept and cannot be read any more: import it again
why-unknown-range = the record has a kind of range that is not known
why-issuer-untrusted = who publishes it is not trusted to speak for this package, so that it clears no version
why-undetermined = the publisher is still looking
why-stated-unknown = the publisher does not know
why-bound-unordered = a bound that cannot be ordered would decide
why-above-last-known = above the last version that is known to be affected

flag-sources-disagree = sources disagree
flag-by-precedence = not affected by precedence: a lighter source says affected
flag-list-range-disagree = the list and the ranges of a record disagree
flag-by-binding = a reviewed binding decided
flag-empty-interval = a range of a record holds an interval without versions
flag-events-ignored = a range of a record holds events that change nothing
flag-by-statement = a statement of the supplier decided
flag-statements-contradict = trusted suppliers contradict each other
flag-by-owner = the distribution says that the package around it has the fix

effect-affects = affected
effect-mitigates = affected, mitigated
effect-clears = not affected
effect-fixes = fixed in exactly this version
effect-nothing = still being looked at
effect-unjustified = not affected, without a reason: no effect
stated-affected = affected
stated-mitigated = affected, mitigated
stated-not-affected = not affected
stated-fixed = fixed, and verified
stated-under-investigation = under investigation
stated-why-affected = It was found at this site.
stated-why-mitigated = It was found at this site; a class with the flaw was removed, or a supplier says that something keeps it away, which does not take the flaw away.
stated-why-fixed = A fix was verified at this site, and what is there now does not have the flaw.
stated-why-absent = Nothing that the flaw is in was found in a whole and current inventory of this site.
stated-why-other = What was found at this site is in versions that do not have the flaw, by a whole and current inventory.
stated-why-unknown = Nobody can tell yet: { $reasons }.
stated-seen = Inventory last confirmed at { $at }.
stated-never-seen = There is no inventory of it.
stated-action = Update to a version that does not have the flaw; until that is verified, keep the site off the network.
stated-played = a drill or the fictional province was played, and says nothing to others
vex-none = no statement of a supplier is known
vex-untrusted = no effect: the supplier is not trusted
vex-trusted = trusted: { $names }

### Advisories of our own.

own-hash = this is no SHA-256: { $text }
own-hash-remedy = 64 hexadecimal digits, as sha256sum writes them
own-example = this file cannot be an example: { $file }
own-example-remedy = a part of it cannot be read, or it has too many classes; name the archive inside that matters
exhibit-file = any file with SHA-256 { $digest }
exhibit-like = any archive like { $name }, from { $share } on
exhibit-path = any file or archive whose path ends like { $pattern }
exhibit-class = any class whose name ends like { $pattern }
own-query = this question cannot be read: { $text }
own-query-remedy = for example "has(path:*/log4j*.jar) or has(class:*JndiLookup) or has(hash:SHA256)"; a pattern holds a letter or a digit, and a class is a name, no member, file or place: what is in capitals behind a class is taken for a constant, write Outer$URL for a nested one
own-range = this range cannot be read: { $text }
own-range-remedy = for example ">=2.0-beta9,<2.15.0", "=1.2 || =1.3", or unknown
own-expires = this time cannot be read: { $text }
own-expires-remedy = for example 14d or 36h
own-expired = was to be looked at again on { $day }: amend it, or retire it; until then it counts
own-binary = { $name } is built from { $source }, and that is the name by which packages of a distribution are known
own-package = this package cannot be read: { $text }
own-package-remedy = ecosystem and name, for example maven:org.apache.logging.log4j:log4j-core
own-flaw = { $text } is neither a CVE nor a GHSA id
own-bound = is about that flaw from now on; what only it calls affected stays so until it is retired
own-retired = is retired: it gives no opinion any more, and nothing is relit by that
own-counts = affected { NUMBER($affected) }, clear { NUMBER($clear) }, unknown { NUMBER($unknown) }
own-joined = newly affected ({ NUMBER($count) }): { $names }
own-left = no longer affected ({ NUMBER($count) }): { $names }
own-published = published
own-dry-run = nothing was published; the same command with --yes does it

### Why something comes first.

priority-malicious = the package itself is malicious
priority-exploited = known to be exploited
priority-ssvc-track = CISA's tree says: within the usual time
priority-ssvc-track-star = CISA's tree says: within the usual time, watched closely
priority-ssvc-attend = CISA's tree says: sooner than usual
priority-ssvc-act = CISA's tree says: as soon as possible
priority-ssvc-assumed = a point of the tree is not known, and the worse one was taken
priority-epss = the chance of exploitation within 30 days, times criticality
priority-epss-new = new, and without a score of its chance of exploitation
priority-epss-none = without a score of its chance of exploitation
priority-exposed = the site is reachable from the internet
priority-controlled = the site is reached through a control only (VPN, address list, partner)
priority-internal = the site is not reachable from the internet
priority-exposure-unknown = whether the site is reachable from the internet is not known
priority-probed-site = attempts were seen against this site in the last 90 days
priority-probed-organisation = attempts were seen against this body in the last 90 days
priority-score = the CVSS score
priority-score-site = the CVSS score at this site, by what depends on it and who can reach it
priority-score-none = without a CVSS score

### What an operator sets about sources.

policy-default = nothing is set: sources rank as relight ships them
policy-rank = this is no rank of a source
policy-rank-remedy = vendor, reviewed, community or nvd; distributions and your own records have theirs
policy-package = this package cannot be read
policy-package-remedy = ecosystem and name, for example Maven:org.apache.logging.log4j:log4j-core
policy-binding = this binding is not whole
policy-binding-remedy = it needs assigner, products, affects, reference and reviewer
policy-too-long = more lines of one kind than this
policy-too-long-remedy = shorten the file
policy-proposals = this is no rule for proposing incidents
policy-proposals-remedy = score above 0 and at most 10; exploited: internet, anywhere or never
advisories-changes-none = nobody has changed anything yet
rating-stated = { $score } as stated
policy-unreadable = { $path } cannot be read as a policy of sources
policy-unreadable-remedy = it holds [ranks], last_known_is_last, related_attaches and [[bindings]], nothing else
