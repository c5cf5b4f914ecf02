### The posture: what protects each site, and since when that is known.

posture-title = Posture
posture-intro = The three measures of the Cyber Centre, site by site: patches and logs as we measure them, multi-factor sign-in as somebody attests it. What nobody measured is unknown, and an attestation ends.
measure-patched = Patches
measure-logs = Logs
measure-mfa = Multi-factor sign-in
posture-value-yes = yes
posture-value-no = no
posture-value-unknown = unknown
posture-share = { NUMBER($yes) } yes, { NUMBER($no) } no, { NUMBER($unknown) } unknown
posture-of = { NUMBER($yes) } of { NUMBER($all) }
posture-bodies = { NUMBER($count) } { $count ->
    [one] organisation
   *[other] organisations
 }
posture-no-body = No organisation fits.
posture-actions = Ten security actions
posture-actions-note = The Cyber Centre's list (ITSM.10.089), attested for the whole organisation.
posture-sites = Sites
posture-since = since { $date }
posture-as-of = as of { $date }
posture-patched-yes = no exploited flaw in a whole inventory
posture-patched-no = { NUMBER($count) } { $count ->
    [one] exploited flaw
   *[other] exploited flaws
 }
posture-patched-perhaps = an exploited flaw may be there
posture-patched-unlisted = no complete list of exploited flaws (KEV) has an entry of the last { NUMBER($days) } days, or no advisory names their packages
posture-attested = attested by { $actor } on { $date }, until { $until }
posture-expired = attested by { $actor }, expired on { $until }
posture-never-attested = nobody attested it
posture-attest = Attest
posture-attest-about = Subject
posture-attest-body = The whole organisation
posture-attest-measure = Measure
posture-attest-value = In place
posture-attest-evidence = Evidence: where to look it up
posture-attest-days = Holds, in days
posture-attested-now = The attestation is in the register.
posture-back = All organisations
posture-line = { $name }: patches { $patched }, logs { $logs }, multi-factor { $mfa }, actions { $actions } of 10
attest-of-site = A site attests multi-factor sign-in only; the ten actions are those of an organisation.
attest-of-site-remedy = choose the whole organisation (--body NAME)
attest-evidence = An attestation names its evidence, in one line of at most 500 bytes.
attest-evidence-remedy = say where it can be looked up: a report, a file, a date (--evidence TEXT)
attest-days = An attestation holds for 1 to 366 days.
attest-days-remedy = choose when somebody has to look again (--days N)
attest-no-subject = No site and no organisation has this name.
attest-no-subject-remedy = relight sites list shows them
attest-no-measure = No measure has this name.
attest-no-measure-remedy = mfa, action-1 … action-10; each is in place, yes or no
attest-not-yours = Only the owner of a site or an administrator attests, with a passkey.
attest-not-yours-remedy = ask the person who answers for this organisation
attest-done = { $subject }: { $measures }, until { $until }
action-1 = Consolidate, monitor and defend Internet gateways
action-2 = Patch operating systems and applications
action-3 = Enforce the management of administrative privileges
action-4 = Harden operating systems and applications
action-5 = Segment and separate information
action-6 = Provide tailored training
action-7 = Protect information at the enterprise level
action-8 = Apply protection at the host level
action-9 = Isolate web-facing applications
action-10 = Implement application allow lists
