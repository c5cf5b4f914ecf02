### Acting from the console and from the command line, and who may.

policy-one-person = one person switches at most { NUMBER($sites) } of his own sites within 24 h, none of them vital
policy-two-people = two people switch at most { NUMBER($sites) } sites, none of them vital; beyond that one of them is of Command, and the number is typed
policy-single = on the command line { $name } acts alone, while the register has at most { NUMBER($sites) } sites
policy-is-signed = signed, key { $key }
policy-standing-missing = there is no policy, so the strictest rules hold: two people for everything
policy-standing-missing-remedy = write policy.toml, then: relight policy sign --key FILE
policy-standing-unsigned = nobody signed this policy, so the strictest rules hold: two people for everything
policy-standing-unsigned-remedy = relight policy sign --key FILE
policy-standing-unreadable = the signature of this policy cannot be read, so the strictest rules hold: two people for everything
policy-standing-unreadable-remedy = relight policy sign --key FILE
policy-standing-wrong-signature = this policy was changed after it was signed, so the strictest rules hold: two people for everything
policy-standing-wrong-signature-remedy = read it, then: relight policy sign --key FILE
policy-standing-other-key = this policy is signed by another key than the register's, so the strictest rules hold: two people for everything
policy-standing-other-key-remedy = sign it with the key of the register: relight policy sign --key FILE
policy-not-signed = the policy was not signed
policy-not-signed-remedy = policy.toml must be readable, and --key name the key that signed before; --new-key puts another one in its place
policy-signed = signed: { $path }
policy-key-pinned = from now on only this key signs: { $key }
policy-key-apart = keep the key file on another machine: whoever has it decides who may switch
refusal-empty-plan = nothing would be switched
refusal-empty-plan-remedy = choose other sites; the list of what was left alone says why
refusal-not-commander = only the command of the incident proposes this plan
refusal-not-commander-remedy = ask somebody of Command, or choose at most five of your own sites, none of them vital
refusal-not-approver = your roles do not let you decide about all of these sites
refusal-not-approver-remedy = ask an approver or somebody of Command whose scope holds them
refusal-token = a token is not a person
refusal-token-remedy = sign in and show a passkey
refusal-not-present = a signature needs a passkey shown in the last five minutes
refusal-not-present-remedy = show your passkey, then do it again; nothing was lost
refusal-no-hardware-key = breaking glass needs a key of hardware
refusal-no-hardware-key-remedy = show a security key, or ask a second person
refusal-glass-relights = nobody relights by breaking glass
refusal-glass-relights-remedy = propose a relight plan
refusal-protected = a protected site is in the plan
refusal-protected-remedy = leave it out: protected sites are never switched by a plan
refusal-unknown-action = no such plan waits
refusal-unknown-action-remedy = the list of plans shows what waits
refusal-other-hash = this is not the plan that waits
refusal-other-hash-remedy = read the plan again: what you saw has another hash
refusal-expired = it is too late
refusal-expired-remedy = make the plan again: a plan lives 15 minutes, and can be undone for 10
refusal-refused = somebody refused this plan
refusal-refused-remedy = read why, and make another plan
refusal-done = this plan was carried out already
refusal-done-remedy = nothing has to be done
refusal-proposer = who proposes a plan does not approve it
refusal-proposer-remedy = ask a second person
refusal-signed-already = you signed this plan already
refusal-signed-already-remedy = ask a second person
refusal-no-seat = the seat that is left is of Command
refusal-no-seat-remedy = ask somebody of Command
refusal-wrong-number = the number of sites was not typed as it is
refusal-wrong-number-remedy = type the large number of the page, digits only
refusal-seats-empty = people who have to agree have not
refusal-seats-empty-remedy = wait for them
refusal-alone-too-much = more than five sites were switched by one person within 24 hours
refusal-alone-too-much-remedy = propose the plan again: two people are needed
refusal-not-signer = only who signed the plan, or Command, takes it back
refusal-not-signer-remedy = ask one of them
refusal-own-review = who broke the glass does not review it
refusal-own-review-remedy = ask somebody else
refusal-no-reason = a reason is missing
refusal-no-reason-remedy = write why, in a sentence
act-dark-title = Turn off…
act-relight-title = Relight a batch…
act-dark = Turn off
act-relight = Relight
act-choose = Which sites
act-incident = Incident
act-which = By what is known
act-which-todo = affected and unknown
act-which-affected = affected
act-which-unknown = unknown
act-which-ready = proven clear, and still dark
act-which-named = only those named below
act-slugs = Only these sites (short names)
act-reason = Why (kept in the journal)
act-preview = Show what would happen
act-what-happens = What would happen
act-propose = Propose this plan
act-vital = Vital sites
act-edges = Edges
act-visitors = Visitors will see
act-visitors-dark = status 503: “As a precaution, this service is temporarily offline while we check whether it uses vulnerable software.”
act-visitors-relight = the site again, once a probe has seen it answer
act-waves = Order
act-waves-dark = a canary on each edge, then everything; what fails never stops the rest
act-undo-time = Undo
act-undo-dark = for 10 minutes, by either signer; what is not clear stays dark
act-undo-relight = propose to turn the sites off again
act-sites = Sites of the plan
act-skipped = Left as they are
act-asked = What is asked
act-who = Who asks
act-why = Why
act-hash = Hash of the plan
act-expires = Ends
act-seats = Who agrees
act-vacant = vacant
act-by-passkey = by passkey
act-step-up = Show your passkey
act-type-number = Type the number of sites in full
act-approve = Approve
act-approve-note = You have no passkey here. The second factor that you showed to the provider of identities in the last five minutes counts; nothing signs the plan itself.
act-approve-sign = Approve with your passkey
act-approve-sign-note = Your passkey signs exactly this plan, by its hash. The signature is kept in the journal, where anybody can check it later.
act-refuse = Refuse
act-refuse-reason = Reason of a refusal
act-undo = Undo this plan
act-undo-note = Sites with current clear evidence come back; the others stay dark and are listed.
act-plans = Plans
act-plan = Plan
act-what = What
act-when = When
act-no-plans = No plan was proposed.
act-glass = Broken glass
act-glass-waits = Waits for a review by somebody else, within 24 hours.
act-glass-late = The 24 hours for a review are over.
act-glass-found = What the review found
act-glass-review = Record the review
act-nothing-lost = Nothing was changed, and nothing you wrote was carried out.
act-back = Go on
act-seat-operator = operation
act-seat-second = second person
act-seat-command = command
act-needs-one = One person is enough: you, with a passkey.
act-needs-two = Two people have to agree; you are the first.
act-needs-command = Two people have to agree, one of them of Command, and the number is typed in full.
act-standing-waiting = waits for agreement
act-standing-expired = too old: make it again
act-standing-started = carried out
act-standing-undone = undone
act-changed = what you saw has changed since
act-changed-remedy = this is how it is now: read it again, then propose it
act-no-sites = no site fits this choice
act-no-sites-remedy = choose otherwise; the list says what is left as it is
act-policy-strict = The policy is not signed, so two people have to agree to everything.
act-policy-damaged = The policy is not as it was signed, so everything needs two people, one of them of Command, and the number of sites typed.
act-edge-undrilled = no drill in 400 days
act-edge-blind = a proof of dark lacks something
act-number-word = { $sites ->
    [one] site
   *[other] sites
 }
act-summary = { NUMBER($affected) } affected, { NUMBER($unknown) } unknown, { NUMBER($clear) } clear; { NUMBER($bodies) } { $bodies ->
    [one] body
   *[other] bodies
 }
act-edge-sites = { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
act-edge-down = does not answer: its sites will count as exposed ({ $error })
act-tunnels = { NUMBER($open) } open connections will be cut
act-sharing = { NUMBER($sites) } other { $sites ->
    [one] site shares
   *[other] sites share
 } a host with these
act-more = and { NUMBER($count) } more
act-waves-relight = { $sizes } sites; stops when more than 1% do not come back
act-refused-by = refused by { $name }: { $why }
act-at = { $date } at { $time }
act-row = { $action }: { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
act-glass-row = { $name }, { $at }: { $why }
act-glass-reviewed = Reviewed by { $name }.
act-policy-holds = One person switches at most { NUMBER($alone) } of his own sites in 24 h; two people { NUMBER($two) }; beyond that one of them is of Command.
act-one-waits = { NUMBER($plans) } { $plans ->
    [one] plan waits
   *[other] plans wait
 } for agreement
act-unknown = no site can be looked after like this
act-unknown-remedy = the page of the site shows what can be done
act-no-role = your roles do not let you do this here
act-no-role-remedy = ask somebody whose role it is; your administrator shows who that is
queue-title = Next to relight
queue-relighting = being relit
queue-relighting-then = a probe has to see them
queue-absent = library absent, full analysis
queue-fixed = fix verified
queue-accepted = accepted by two people
queue-automatic = automatic
queue-unverified = fix in service, not verified
queue-unverified-then = waits for its verification
queue-stopped = recovery probe fails
queue-stopped-then = stays dark: needs a plan
queue-incomplete = partial analysis
queue-incomplete-then = refused: evidence incomplete
todo-title = To do first
todo-evidence = Evidence
todo-edge = Edge
todo-dark-for = Dark for
todo-next = Next step
next-edge = repair the edge
next-fix = begin a fix
next-relight = relight by a plan
next-accept = accept, by two people
next-verify = verify the fix
next-deploy = deploy the fix
next-inventory = make a new inventory
next-dark = turn it off
act-open = Open an incident…
act-open-which = Which advisory
act-close = Close the incident…
act-close-note = An incident is closed only when no site is wanted dark any more.
act-publish = Publish an update…
act-publish-fr = In French
act-publish-en = In English
act-analyse = Analyse again
act-fix = Begin a fix
act-fix-note = What is being done
act-exempt = Keep online: evidence calls it clear
act-off-one = Turn this site off…
act-on-one = Relight this site…
act-site = What to do
policy-nobody-alone = nobody switches alone: two people have to agree to everything
act-which-all = all of them, clear or not
approve-where = { $id }, { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }: read and decide at { $address }
approve-done = { $id } was carried out
approve-remedy = people decide on the page, with a passkey; a plan that is too old is made again
public-updates = Updates
act-smash = Nobody else can be reached: break the glass
act-smash-note = The sites go dark at once, without the second person. It needs a key that cannot be copied, it relights nothing, it stands in red in the log and on this page for everybody, and somebody else has to review it within 24 hours.
act-smash-reason = Why it cannot wait
act-smash-button = Break the glass with your key
