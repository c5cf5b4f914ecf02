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
