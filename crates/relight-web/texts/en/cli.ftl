### The command line.

error-label = error
hint-label = hint
warning-label = warning
next-label = Next

# The first line of an answer.
affected-summary = { NUMBER($affected) } of { NUMBER($total) } { $total ->
    [one] site
   *[other] sites
 } affected, { NUMBER($unknown) } unknown, { NUMBER($clear) } clear

column-sector = Sector
column-organisation = Organisation
column-site = Site
column-sites = Sites
column-affected = Affected
column-unknown = Unknown
column-share = Share
column-edge = Edge
column-component = Component
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
serve-ready = console { $console }   public page { $public }   { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }


### Errors and what to do about them.

labelled = { $label }: { $text }
labelled-place = { $label }: { $place }: { $text }
with-detail = { $text } ({ $detail })
detail-label = technical detail
stdout-failed = the output could not be written
cannot-read = cannot read { $path }
cannot-read-remedy = check that the path is right and that you may read it
cannot-write = cannot write { $path }
cannot-write-remedy = check that the folder exists, that you may write there, and that the disk has room
no-register = there is no register in { $folder }
no-register-remedy = make one with: { $command }, or name another folder with --data
no-such-site = there is no site { $site } in the register
no-such-site-remedy = relight sites list shows the sites
inventory-stored = inventory of { $site } stored

store-corrupt = the register is damaged, or is not a register of relight
store-corrupt-remedy = nothing was changed: restore it from a backup
store-newer = the register was written by a newer relight
store-newer-remedy = update this program
store-fenced = another relight took over this folder
store-fenced-remedy = nothing was changed: see which relight runs on it
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
engine-not-allowed = the policy does not let you do it
engine-not-allowed-remedy = see policy.toml in the data folder
engine-not-found = something that was named is not there
engine-not-found-remedy = relight incident status and relight sites list show what is there
engine-other = the operation did not succeed
engine-other-remedy = run the command again; if it fails again, relight audit verify checks the journal

### Arguments that cannot be used.

usage-unknown-command = unknown command “{ $name }”
usage-unknown-option = unknown option “{ $name }”
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

scan-one-target = --sbom and --site go with one target only
scan-progress = { NUMBER($files) } files, { NUMBER($archives) } archives
scan-unread-remedy = what could not be read may hold anything: the answer is incomplete
and-more-places = … and { NUMBER($count) } more (--json shows all)
finding-affected = affected
finding-mitigated = affected, mitigated
finding-possible-match = may be affected: version missing or not comparable
finding-range-unresolved = may be affected: the advisory gives no range
