### Agir depuis la console et depuis la ligne de commande, et qui en a le droit.

policy-one-person = une personne commute au plus { NUMBER($sites) } de ses propres sites en 24 h, aucun vital
policy-two-people = deux personnes commutent au plus { NUMBER($sites) } sites, aucun vital; au-delà, l’une d’elles est du commandement, et le nombre est saisi
policy-single = en ligne de commande { $name } agit sans second, tant que le registre compte au plus { NUMBER($sites) } sites
policy-given = accordé d’avance, « { $name } » : une faille CVSS de { $score } ou plus est éteinte par une seule personne du commandement, au plus { NUMBER($sites) } sites par jour
policy-given-exploited = { "  " }aussi une faille que l’on sait exploitée, sur les sites qu’atteint l’internet
policy-given-vital = { "  " }les sites vitaux aussi
policy-given-basis = { "  " }ordre : { $order }; base légale : { $basis }
policy-given-until = { "  " }demandé par { $proposer }, accordé par { $approver }, jusqu’au { $until }
policy-given-over = { "  " }terminé depuis le { $until } : rien n’est éteint à ce titre
policy-is-signed = signée, clé { $key }
policy-standing-unconfirmed = cette politique est signée, et personne qui décide ne l’a confirmée : les règles d’avant tiennent, et les plus strictes là où aucune ne fut confirmée
policy-standing-unconfirmed-remedy = une personne du commandement ou de l’approbation la lit et la confirme à la page /plans de la console
policy-standing-missing = il n’y a pas de politique, donc les règles les plus strictes valent : deux personnes pour tout
policy-standing-missing-remedy = écrivez policy.toml, puis : relight policy sign --key FILE
policy-standing-unsigned = personne n’a signé cette politique, donc les règles les plus strictes valent : deux personnes pour tout
policy-standing-unsigned-remedy = relight policy sign --key FILE
policy-standing-unreadable = la signature de cette politique est illisible, donc les règles les plus strictes valent : deux personnes pour tout
policy-standing-unreadable-remedy = relight policy sign --key FILE
policy-standing-wrong-signature = cette politique a été modifiée après sa signature, donc les règles les plus strictes valent : deux personnes pour tout
policy-standing-wrong-signature-remedy = relisez-la, puis : relight policy sign --key FILE
policy-standing-other-key = cette politique est signée par une autre clé que celle du registre, donc les règles les plus strictes valent : deux personnes pour tout
policy-standing-other-key-remedy = signez-la avec la clé du registre : relight policy sign --key FILE
policy-not-signed = la politique n’a pas été signée
policy-not-signed-remedy = policy.toml doit être lisible, et --key désigner la clé qui a déjà signé; --new-key en met une autre à sa place
policy-signed = signée : { $path }
policy-key-pinned = désormais seule cette clé signe : { $key }
policy-key-apart = gardez le fichier de la clé sur une autre machine : qui l’a décide qui peut commuter
refusal-empty-plan = rien ne serait commuté
refusal-empty-plan-remedy = choisissez d’autres sites; la liste de ce qui est laissé tel quel dit pourquoi
refusal-not-commander = seul le commandement de l’incident propose ce plan
refusal-not-commander-remedy = demandez à une personne du commandement, ou choisissez au plus cinq de vos propres sites, aucun vital
refusal-not-approver = vos rôles ne vous laissent pas décider de tous ces sites
refusal-not-approver-remedy = demandez à une personne qui approuve, ou du commandement, dont la portée les couvre
refusal-token = un jeton n’est pas une personne
refusal-token-remedy = connectez-vous et présentez une clé d’accès
refusal-not-present = une signature exige une clé d’accès présentée il y a moins de cinq minutes
refusal-not-present-remedy = présentez votre clé d’accès, puis recommencez; rien n’est perdu
refusal-no-hardware-key = briser la glace exige une clé matérielle
refusal-no-hardware-key-remedy = présentez une clé de sécurité, ou demandez une deuxième personne
refusal-glass-relights = personne ne rallume en brisant la glace
refusal-glass-relights-remedy = proposez un plan de rallumage
refusal-protected = un site protégé est dans le plan
refusal-protected-remedy = retirez-le : un plan ne commute jamais un site protégé
refusal-unknown-action = aucun plan de ce nom n’attend
refusal-unknown-action-remedy = la liste des plans montre ce qui attend
refusal-other-hash = ce n’est pas le plan qui attend
refusal-other-hash-remedy = relisez le plan : ce que vous avez vu a une autre empreinte
refusal-other-request = ce n’est plus ce qui attend une deuxième personne
refusal-other-request-remedy = relisez la page du site : qui demande, pourquoi et jusqu’à quand
refusal-expired = il est trop tard
refusal-expired-remedy = refaites le plan : un plan vit 15 minutes, celui de relight même un jour, et s’annule pendant 10 minutes
refusal-refused = quelqu’un a refusé ce plan
refusal-refused-remedy = lisez pourquoi, et faites un autre plan
refusal-done = ce plan a déjà été exécuté
refusal-done-remedy = il n’y a rien à faire
refusal-proposer = qui propose un plan ne l’approuve pas
refusal-proposer-remedy = demandez une deuxième personne
refusal-signed-already = vous avez déjà signé ce plan
refusal-signed-already-remedy = demandez une deuxième personne
refusal-no-seat = la place qui reste est celle du commandement
refusal-no-seat-remedy = demandez à une personne du commandement
refusal-wrong-number = le nombre de sites n’a pas été saisi tel quel
refusal-wrong-number-remedy = saisissez le grand nombre de la page, en chiffres
refusal-seats-empty = il manque l’accord de personnes qui doivent le donner
refusal-seats-empty-remedy = attendez-les
refusal-alone-too-much = plus de cinq sites ont été commutés par une seule personne en 24 heures
refusal-alone-too-much-remedy = proposez de nouveau le plan : il faut deux personnes
refusal-too-many-waiting = 8 plans du même proposant attendent déjà une réponse, ou 32 en tout et personne n’était là pour demander
refusal-too-many-waiting-remedy = faites d’abord approuver ou refuser l’un d’eux; une personne avec une clé d’accès a encore de la place
refusal-not-signer = seule une personne qui a signé le plan l’annule, et le commandement là où l’on a brisé la glace
refusal-not-signer-remedy = demandez à l’une d’elles
refusal-parts-stay = un plan sur des parties ne s’annule pas
refusal-parts-stay-remedy = proposez de rouvrir, ou de refermer, la partie
refusal-own-review = qui a brisé la glace ne fait pas la revue
refusal-own-review-remedy = demandez à quelqu’un d’autre
refusal-command-answers = pour un site vital, la deuxième personne est du commandement
refusal-command-answers-remedy = demandez au commandement de l’incident
refusal-no-reason = il manque une raison
refusal-no-reason-remedy = écrivez pourquoi, en une phrase
act-dark-title = Éteindre…
act-relight-title = Rallumer un lot…
act-dark = Éteindre
act-relight = Rallumer
act-choose = Quels sites
act-incident = Incident
act-which = Selon ce que l’on sait
act-which-todo = touchés et inconnus
act-which-affected = touchés
act-which-unknown = inconnus
act-which-ready = prouvés hors de cause, encore éteints
act-which-named = seulement ceux nommés ci-dessous
act-slugs = Seulement ces sites (noms courts)
act-reason = Pourquoi (gardé au journal)
act-preview = Montrer ce qui se passerait
act-what-happens = Ce qui se passerait
act-propose-sign-note = Votre clé d’accès signe exactement ce plan; le journal garde la signature.
act-propose-sign = Proposer avec une clé d’accès
act-propose = Proposer ce plan
act-vital = Sites vitaux
act-edges = Frontaux
act-visitors = Les visiteurs verront
act-visitors-dark = le statut 503 : « Par mesure de précaution, ce service est temporairement hors ligne pendant que nous vérifions s’il utilise un logiciel vulnérable. »
act-visitors-relight = le site de nouveau, dès qu’une sonde l’a vu répondre
act-waves = Ordre
act-waves-dark = un témoin par frontal, puis tout; un échec n’arrête jamais le reste
act-returns = Retour
act-returns-clear = d’eux-mêmes, d’abord quelques-uns puis davantage, dès qu’une preuve complète et actuelle met un site hors de cause; sinon par un autre plan
act-undo-time = Annulation
act-undo-dark = pendant 10 minutes, par l’un ou l’autre signataire; ce qui n’est pas hors de cause reste éteint
act-close-title = Fermer une partie…
act-open-title = Rouvrir une partie…
act-close-part = Fermer une partie
act-open-part = Rouvrir une partie
act-of-part = { $action } ({ $part })
act-part = Partie de chaque site (nom, @internet ou @write)
act-visitors-close = la page d’attente dans cette partie; le reste de chaque site demeure tel quel, et aucun site ne compte comme éteint
act-visitors-open = cette partie de nouveau, dès qu’on l’a vue ouverte
act-waves-parts = tout à la fois; chaque partie est relue, et demandée autant qu’elle peut l’être
act-undo-close = proposer de rouvrir la partie
act-undo-open = proposer de fermer de nouveau la partie
act-sites = Sites du plan
act-skipped = Laissés tels quels
act-asked = Ce qui est demandé
act-who = Qui demande
act-why = Pourquoi
act-hash = Empreinte du plan
act-expires = Expire
act-seats = Qui donne son accord
act-vacant = vacant
act-by-passkey = signé avec une clé d’accès
act-by-asking = a demandé le plan
act-by-word = garanti par le fournisseur
act-step-up = Présenter votre clé d’accès
act-type-number = Saisissez le nombre de sites en entier
act-approve = Approuver
act-approve-note = Vous n’avez pas de clé d’accès ici. Le second facteur montré au fournisseur d’identité il y a moins de cinq minutes compte; rien ne signe le plan lui-même.
act-approve-sign = Approuver avec votre clé d’accès
act-approve-sign-note = Votre clé d’accès signe exactement ce plan, par son empreinte. La signature est gardée dans le journal, où chacun peut la vérifier plus tard.
act-refuse = Refuser
act-refuse-reason = Raison du refus
act-undo = Annuler ce plan
act-undo-note = Les sites dont la preuve à jour les met hors de cause reviennent; les autres restent éteints et sont nommés.
act-plans = Plans
act-plan = Plan
act-what = Quoi
act-when = Quand
act-no-plans = Aucun plan n’a été proposé.
act-glass = Glace brisée
act-glass-waits = Attend la revue d’une autre personne, dans les 24 heures.
act-glass-late = Les 24 heures prévues pour la revue sont passées.
act-glass-found = Ce que la revue a constaté
act-glass-review = Consigner la revue
act-nothing-lost = Rien n’a été modifié, et rien de ce que vous avez écrit n’a été exécuté.
act-back = Continuer
act-seat-operator = opération
act-seat-second = deuxième personne
act-seat-given = { $name }, accordé d’avance
act-seat-command = commandement
act-needs-one = Une personne suffit : vous, avec une clé d’accès.
act-needs-two = Il faut l’accord de deux personnes; vous êtes la première.
act-needs-command = Il faut l’accord de deux personnes, dont une du commandement, et le nombre est saisi en entier.
act-standing-waiting = attend un accord
act-standing-expired = trop ancien : refaites-le
act-standing-started = exécuté
act-standing-under-way = en cours, par vagues
act-standing-undone = annulé
act-changed = ce que vous avez vu a changé depuis
act-changed-remedy = voici ce qu’il en est maintenant : relisez, puis proposez
act-no-sites = aucun site ne correspond à ce choix
act-no-sites-remedy = choisissez autrement; la liste dit ce qui est laissé tel quel
act-policy-waits = Une nouvelle politique attend
act-policy-waits-text = Elle fut signée sur la machine. Les règles d’avant tiennent, et les plus strictes là où aucune ne fut confirmée, jusqu’à ce qu’une personne du commandement ou de l’approbation, et non sous le nom de qui l’a signée, ait lu et confirmé celle-ci.
act-policy-digest = Empreinte
act-policy-key = Clé
act-policy-confirm = Confirmer cette politique
act-policy-not-yours = Une politique est confirmée par qui commande ou approuve partout, et non sous le nom de qui l’a signée.
act-policy-not-yours-remedy = Adressez-vous à l’une de ces personnes; /accounts les montre.
act-policy-changed = Cette politique n’attend plus, ou c’en est une autre maintenant.
act-policy-changed-remedy = Lisez ce que montre /plans maintenant.
act-policy-strict = La politique n’est pas signée : il faut l’accord de deux personnes pour tout.
act-policy-damaged = Aucune politique n’est en vigueur telle qu’elle a été signée et confirmée : il faut pour tout deux personnes, dont une du commandement, et le nombre de sites saisi.
act-edge-untrusted = a été pris en défaut trois fois en 30 jours : il se disait éteint et des visiteurs entraient; aucun exercice réussi depuis
act-edge-undrilled = aucun exercice en 400 jours
act-edge-blind = il manque de quoi prouver l’extinction
act-number-word = { $sites ->
    [one] site
   *[other] sites
 }
act-summary = { NUMBER($affected) } { $affected ->
    [one] touché
   *[other] touchés
 }, { NUMBER($unknown) } { $unknown ->
    [one] inconnu
   *[other] inconnus
 }, { NUMBER($clear) } hors de cause; { NUMBER($bodies) } { $bodies ->
    [one] organisme
   *[other] organismes
 }
act-edge-sites = { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
act-edge-left = { NUMBER($sites) } { $sites ->
    [one] site reste allumé
   *[other] sites restent allumés
 }
act-edge-down = ne répond pas : ses sites compteront comme exposés ({ $error })
act-tunnels = { NUMBER($open) } { $open ->
    [one] connexion ouverte sera coupée
   *[other] connexions ouvertes seront coupées
 }
act-sharing = { NUMBER($sites) } { $sites ->
    [one] autre site partage
   *[other] autres sites partagent
 } un hôte avec ceux-ci
act-more = et { NUMBER($count) } de plus
# left, failed
act-standing-stopped = terminé : { NUMBER($left) } de ses sites { $left ->
    [one] reste éteint
   *[other] restent éteints
 }, { NUMBER($failed) } { $failed ->
    [one] n’est pas revenu
   *[other] ne sont pas revenus
 }
act-waves-relight = { $sizes } sites; arrêt si plus de 1 % ne reviennent pas
act-refused-by = refusé par { $name } : { $why }
act-at = le { $date } à { $time }
act-row = { $action } : { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
act-glass-row = { $name }, { $at } : { $why }
act-glass-reviewed = Revue faite par { $name }.
act-policy-holds = Une personne commute au plus { NUMBER($alone) } de ses propres sites en 24 h; deux personnes, { NUMBER($two) }; au-delà, l’une d’elles est du commandement.
act-seats-wait = { $plan } attend : { NUMBER($signed) } { $signed ->
    [one] accord
   *[other] accords
 } sur { NUMBER($seats) }
live-asked = { $plan } attend votre accord
live-asked-many = { NUMBER($plans) } { $plans ->
    [one] plan attend
   *[other] plans attendent
 } votre accord
act-one-waits = { NUMBER($plans) } { $plans ->
    [one] plan attend
   *[other] plans attendent
 } un accord
act-unknown = on ne peut pas s’occuper d’un site de cette façon
act-unknown-remedy = la page du site montre ce qui peut être fait
act-untranslated = il manque le texte dans une langue de la page publique : chaque avis y est écrit dans toutes
act-untranslated-remedy = écrivez-le dans chaque langue, puis publiez de nouveau
act-no-role = vos rôles ne vous le permettent pas ici
act-no-role-remedy = demandez à une personne dont c’est le rôle; votre administrateur sait qui
act-on-page = qui a une clé d’accès le signe avec elle, et seule une page peut la demander
act-on-page-remedy = signez-le sur la page du site : { $page }
queue-title = Prochains rallumages
queue-none = Aucune ligne de ce nom parmi les prochains rallumages, ou son incident est clos
queue-relighting = en cours de rallumage
queue-relighting-then = une sonde doit les voir
queue-absent = bibliothèque absente, analyse complète
queue-fixed = correctif vérifié
queue-accepted = accepté par deux personnes
queue-automatic = automatique
queue-unverified = correctif en service, non vérifié
queue-unverified-then = vérifié seul derrière la barrière; un site vital, par une personne
queue-restored = connus d'avant le retour du registre d'une copie
queue-restored-then = restent éteints jusqu'à une nouvelle analyse, ou deux signatures
queue-stopped = la sonde de retour échoue
queue-braked-then = restent éteints : trop d’autres ne sont pas revenus; une personne décide
queue-stopped-then = reste éteint : il faut un plan
queue-left = son plan a pris fin, ou a été annulé
queue-left-then = reste éteint : il faut un plan
queue-incomplete = analyse partielle
queue-incomplete-then = refusé : preuve incomplète
todo-title = À traiter d’abord
todo-evidence = Preuve
todo-stack = Pile
todo-stack-unknown = inconnue
todo-stack-other = autre
todo-stack-old = { $stack } (ancienne)
todo-edge = Frontal
todo-dark-for = Éteint depuis
todo-next = Prochain geste
pick-column = Choisir
pick-count-one = 1 site coché
pick-count-more = { $count } sites cochés
pick-beyond = { $count } sites cochés : un seul plan n’en prend pas autant par leurs noms. Décochez-en, ou commencez le plan à l’écran de l’incident.
pick-relight = Rallumer les sites cochés…
pick-dark = Éteindre les sites cochés…
next-edge = réparer le frontal
next-fix = commencer un correctif
next-relight = rallumer par un plan
next-accept = accepter, à deux
next-verify = vérifier le correctif
next-deploy = déployer le correctif
next-inventory = refaire l’inventaire
next-dark = l’éteindre
act-open = Ouvrir un incident…
act-open-which = Quel avis
act-close = Clore l’incident…
act-close-note = Un incident ne se clôt que lorsque plus aucun site ne doit rester éteint et que ce qui est en ligne a une preuve actuelle.
act-publish = Publier une mise à jour…
act-publish-fr = En français
act-publish-en = En anglais
preview-title = Aperçu
preview-note = Voici ce que les visiteurs liront sur la page publique. Rien n’est encore publié.
preview-french-missing = Le français est nécessaire : rien ne peut être publié sans lui.
preview-english-missing = L’anglais est requis : la page publique est aussi en anglais, et rien n’est publié sans lui.
preview-publish = Publier dans les deux langues
preview-publish-french = Publier en français
preview-again = Revoir l’aperçu
preview-leave = Ne pas publier
act-analyse = Analyser de nouveau
act-fix = Commencer un correctif
act-fix-note = Ce qui est fait
act-exempt = Laisser en ligne : la preuve le met hors de cause
act-verify = Vérifier le correctif
act-verify-path = Page demandée derrière la barrière
act-verify-status = Statut
act-verify-text = Texte qu’elle doit contenir
act-verify-signs = Signes de compromission
act-signs-unknown = pas connus
act-signs-none = aucun vu
act-signs-seen = vus
act-signs-refused-remedy = les journaux de chaque jour depuis qu’il avait la faille sont lus, et outbound.csv dit qui a regardé ce qu’il envoyait. D’ici là : « pas connus »
act-not-verified-remedy = le site est encore touché, son inventaire a une lacune, il n’a pas répondu comme il le doit derrière la barrière, ou il est vital et l’absence de signes de compromission n’est pas établie; sa page et le journal de l’incident en disent plus
act-mitigate = Essayer une mesure devant lui
act-mitigate-control = Mesure
act-mitigate-owner = Qui en répond
act-mitigate-payloads = Charges qu’elle doit arrêter, une par ligne
act-accept = Demander à une deuxième personne de l’accepter tel quel
act-accept-why = Pourquoi l’accepter
act-accept-days = Jours
act-agree = Consentir à ce qu’une autre personne a demandé
accept-title = { $site } : l’accepter tel quel
accept-ask = Votre clé d’accès signe exactement cette demande; le journal garde la signature. Rien ne change avant qu’une deuxième personne y consente.
accept-agree = Votre clé d’accès signe exactement ce qui est demandé; le journal garde la signature. Le site peut ensuite être en ligne sans qu’une preuve le mette hors de cause.
accept-ask-sign = Demander avec une clé d’accès
accept-sign = Consentir avec une clé d’accès
accept-leave = Ne rien signer
tried-asked = le serveur le demande derrière sa barrière fermée
tried-undeclared = personne n’a dit qu’il était corrigé : commencez un correctif, ou vérifiez-le
tried-no-edge = son frontal n’est pas enregistré, ou ne peut servir
tried-no-path = son frontal n’a pas de chemin derrière sa barrière
tried-no-answer = il ne répond pas derrière sa barrière
tried-other-status = il répond autrement derrière sa barrière
tried-other-text = le texte manque dans ce qu’il répond derrière sa barrière
tried-checks-late = ses essais durent trop longtemps
tried-checks-unread = ses essais ne peuvent être lus
tried-signs = il y a des signes de compromission
tried-signs-unknown = il est vital, et personne n’a dit qu’il n’y a pas de signe de compromission
tried-signs-unread = ce qui parle de signes de compromission ne peut être lu
site-fix = Correctif non vérifié
site-channel = Autres moyens de le joindre
site-public-yes = affiché
site-public-no = non affiché
site-public-hide = Le retirer de la page publique
site-public-show = L’afficher sur la page publique
site-part = Partie fermée
site-acceptance = Acceptation
site-asked = { $by } demande à une deuxième personne ({ $incident }), échéance { $until } : { $reason }
act-off-one = Éteindre ce site…
act-on-one = Rallumer ce site…
act-site = Que faire
policy-nobody-alone = personne ne commute seul : il faut l’accord de deux personnes pour tout
act-which-all = tous, hors de cause ou non
approve-where = { $id }, { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } : lisez et décidez à { $address }
approve-done = { $id } a été exécuté
approve-remedy = on décide sur la page, avec une clé d’accès; un plan trop ancien se refait
public-updates = Mises à jour
act-smash = Personne d’autre n’est joignable : briser la glace
act-smash-note = Les sites s’éteignent sur-le-champ, sans la deuxième personne. Il faut une clé qui ne se copie pas; cela ne rallume rien, figure en rouge dans le journal et sur cette page pour tout le monde, et quelqu’un d’autre doit le revoir dans les 24 heures.
act-smash-reason = Pourquoi cela ne peut pas attendre
act-smash-button = Briser la glace avec votre clé
act-edge-fault = laisserait ses sites allumés : { $what }
act-edge-refused-remedy = corrigez ce que le plan nomme à côté du frontal, ou laissez ses sites de côté
act-undo-relight = pendant 10 minutes, par l’un des signataires : les vagues s’arrêtent, et ce qui est revenu s’éteint de nouveau
publish-next = Prochaine mise à jour
publish-next-none = sans promesse
# minutes
publish-next-in = dans { NUMBER($minutes) } minutes
publish-impact = Ampleur, pour les programmes qui la lisent
publish-impact-same = comme avant
publish-impact-none = aucune
publish-impact-minor = mineure
publish-impact-major = majeure
publish-impact-critical = critique
publish-about-data = Ces mots disent quelque chose de données ou d’une compromission, et le commandement en répond.
# word
act-names-flaw = « { $word } » nomme ce qui est cherché. Rien ne fut publié.
act-names-flaw-remedy = dites-le sans le nom : la page publique ne dit à personne quel site est vulnérable à quoi
# word
act-about-data = « { $word } » dit quelque chose de données ou d’une compromission. Rien ne fut publié.
act-about-data-remedy = retirez ce mot, ou qu’une personne du commandement coche que c’est voulu et le publie
incident-about-data-remedy = retirez ce mot, ou dites avec --about-data que c’est voulu
