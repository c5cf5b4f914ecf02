### The live log. The emitted code is the key; arguments are in the alphabetical order
### of their names, numbers as plain digits.

# id, title
log-incident-opened = Incident opened: { $id }, { $title }
# id
log-incident-closed = Incident closed: { $id }
# sites
log-dark-ordered = Dark requested for { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
# milliseconds, sites
log-dark-proven = Dark proven for { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } in { NUMBER($milliseconds) } ms
# reason, site
log-dark-failed = { $site } is not dark: { $reason }
# reason, site
log-unknown = { $site } stays dark: { $reason }
# site
log-clear = { $site } is clear
# component, site
log-affected = { $site } is affected: { $component }
# site
log-fixing = { $site }: fix begun
# site
log-fix-deployed = { $site }: fix deployed, verifying
# site
log-fix-verified = { $site }: fix verified
# reason, site
log-verification-failed = { $site }: verification failed, { $reason }
# site
log-relit = { $site } is lit again
# sites
log-relit-many = { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } lit again
# site
log-exposed = { $site } is affected and still online
# edge, site
log-drifted = Edge { $edge } changed { $site } without an order; the wanted state is restored
# edge, sites
log-proof-expired = Edge { $edge }: { NUMBER($sites) } { $sites ->
    [one] site was not seen dark for 15 s: exposed until it is proven again
   *[other] sites were not seen dark for 15 s: exposed until they are proven again
 }
# advisory, sites
log-advisory-revised = Advisory { $advisory } revised: { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } to look at again
# advisory, affected, possible
log-notice-advisory = New advisory { $advisory }: { NUMBER($affected) } { $affected ->
    [one] site
   *[other] sites
 } affected, { NUMBER($possible) } perhaps
# advisory, affected, possible
log-notice-revised = Advisory { $advisory } changed: { NUMBER($affected) } { $affected ->
    [one] site
   *[other] sites
 } affected, { NUMBER($possible) } perhaps
# advisory
log-notice-withdrawn = Advisory { $advisory } withdrawn: it finds nothing any more; nothing is relit by that
# advisory
log-notice-expired = The day of your own advisory { $advisory } has come: look at it again; it counts until somebody retires it
# advisory
log-incident-proposed = An incident is proposed: { $advisory }
# campaign, organisations, severity, sites
log-campaign = A campaign stands at { $severity }: { $campaign }, at { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } of { NUMBER($organisations) } { $organisations ->
    [one] organisation
   *[other] organisations
 }
# place
log-feed-refused = Not usable in the feeds: { $place }
# id, left, open
log-waves-stopped = { $id }: relight is over, { NUMBER($left) } { $left ->
    [one] site stays
   *[other] sites stay
 } dark, { NUMBER($open) } did not come back
# id, sites
log-waves-held = { $id }: { NUMBER($sites) } { $sites ->
    [one] site was
   *[other] sites were
 } not opened: another incident keeps them dark, or what was known of them changed
# id
log-waves-resumed = { $id } came to no end before: it goes on, or is called over where it is too old
# error
log-fixes-failed = No fix can be verified: { $error }
# error
log-serve-failed = Part of the work of the server is not done and is tried again: { $error }
# error
log-waves-failed = Relight could not go on: { $error }
# id, name, sites
log-plan-proposed = { $name } asks for { $id }: { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
# id, name
log-plan-approved = { $name } agrees to { $id }
# id, name, why
log-plan-refused = { $name } refuses { $id }: { $why }
# name, why
log-break-glass = Glass broken by { $name }: { $why }
# name
log-glass-reviewed = The broken glass was reviewed by { $name }
# name
log-update-published = { $name } published an update
log-clock-set-back = The clock was set back: what was signed, asked or approved and was over stays so
log-restored = The register came back from an older copy: what was known opens nothing; scan all sites
log-part-closing = { $part }: ordered closed
log-part-closed = { $part }: closed; its site is not off
log-part-opening = { $part }: being opened
log-part-open = { $part }: open again
log-part-lost = { $part }: somebody changed its gate
log-part-failed = { $part }: not closed, its site is exposed
log-part-stopped = { $part }: not seen open in time, closed again
log-held-back = { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } should be dark by the newest evidence: protected, out of reach of an order, or more than may go dark without one
