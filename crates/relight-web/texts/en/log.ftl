### The live log. The emitted code is the key; arguments are in the alphabetical order
### of their names, numbers as plain digits.

# id, title
log-incident-opened = Incident opened: { $id }, { $title }
# id
log-incident-closed = Incident closed: { $id }
# affected, clear, unknown
log-answered = Answer of the inventory: { NUMBER($affected) } affected, { NUMBER($unknown) } unknown, { NUMBER($clear) } clear
# plan, sites
log-plan-proposed = Plan { $plan } proposed: { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
# person, plan
log-plan-approved = Plan { $plan } approved by { $person }
# plan, reason
log-plan-refused = Plan { $plan } refused: { $reason }
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
# site
log-analysing = { $site }: analysis started
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
log-relight-ordered = Relight requested: { $site }
# site
log-relit = { $site } is lit again
# sites
log-relit-many = { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } lit again
# site
log-exposed = { $site } is affected and still online
# edge
log-edge-lost = Edge { $edge } no longer answers
# edge
log-edge-back = Edge { $edge } answers again
# edge, site
log-drifted = Edge { $edge } changed { $site } without an order; the wanted state is restored
# advisory, sites
log-advisory-revised = Advisory { $advisory } revised: { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } to look at again
