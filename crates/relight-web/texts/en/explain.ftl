### Why a component is affected or not: ranks, rules, reasons and flags.

explain-head = { $id }  { $purl }  { $verdict }
explain-not-affected = not affected
explain-silent = no record names this package
explain-decided = decided by { $source } { $record } ({ $rank }): { $said }
explain-opinion = { $verdict }  { $source } { $record } ({ $rank }): { $said }
explain-said = { $rule } { $interval }
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
why-name-only = only a part of the name is known
why-backport-base = a backport, and the suite that it comes from is not in the data
why-stream-unknown = the module stream is not known
why-pseudo-version = a commit of a module whose releases have other numbers
why-several-versions = it may be one of several versions, and they differ
why-no-range = the record gives no range
why-git-only = the record gives commits only
why-free-text = the record gives versions as free text
why-all-versions = the record names no version
why-unknown-range = the record has a kind of range that is not known
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
