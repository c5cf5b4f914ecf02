### La posture : ce qui protège chaque site, et depuis quand on le sait.

posture-title = Posture
posture-intro = Les trois mesures du Centre pour la cybersécurité, site par site : correctifs et journaux comme nous les mesurons, authentification multifacteur comme quelqu’un l’atteste. Ce que personne n’a mesuré est inconnu, et une attestation prend fin.
measure-patched = Correctifs
measure-logs = Journaux
measure-mfa = Authentification multifacteur
posture-value-yes = oui
posture-value-no = non
posture-value-unknown = inconnu
posture-share = { NUMBER($yes) } oui, { NUMBER($no) } non, { NUMBER($unknown) } { $unknown ->
    [one] inconnu
   *[other] inconnus
 }
posture-of = { NUMBER($yes) } sur { NUMBER($all) }
posture-bodies = { NUMBER($count) } { $count ->
    [one] organisme
   *[other] organismes
 }
posture-no-body = Aucun organisme ne correspond.
posture-actions = Dix mesures de sécurité
posture-actions-note = Liste du Centre pour la cybersécurité (ITSM.10.089), attestée pour tout l’organisme.
posture-sites = Sites
posture-since = depuis le { $date }
posture-as-of = au { $date }
posture-patched-yes = aucune faille exploitée dans un inventaire complet
posture-patched-no = { NUMBER($count) } { $count ->
    [one] faille exploitée
   *[other] failles exploitées
 }
posture-patched-perhaps = une faille exploitée est peut-être présente
posture-patched-unlisted = aucune liste complète de failles exploitées (KEV) n’a d’entrée des { NUMBER($days) } derniers jours, ou aucun avis ne nomme leurs paquets
posture-attested = attesté par { $actor } le { $date }, jusqu’au { $until }
posture-expired = attesté par { $actor }, expiré le { $until }
posture-never-attested = personne ne l’a attesté
posture-attest = Attester
posture-attest-about = Sujet
posture-attest-body = Tout l’organisme
posture-attest-measure = Mesure
posture-attest-value = En place
posture-attest-evidence = Preuve : où le vérifier
posture-attest-days = Valable, en jours
posture-attested-now = L’attestation est inscrite au registre.
posture-back = Tous les organismes
posture-line = { $name } : correctifs { $patched }, journaux { $logs }, multifacteur { $mfa }, mesures { $actions } sur 10
attest-of-site = Un site n’atteste que l’authentification multifacteur; les dix mesures sont celles d’un organisme.
attest-of-site-remedy = choisissez tout l’organisme (--body NAME)
attest-evidence = Une attestation nomme sa preuve, en une ligne de 500 octets au plus.
attest-evidence-remedy = dites où on peut la vérifier : un rapport, un dossier, une date (--evidence TEXT)
attest-days = Une attestation vaut de 1 à 366 jours.
attest-days-remedy = choisissez quand il faudra regarder de nouveau (--days N)
attest-no-subject = Aucun site ni organisme de ce nom.
attest-no-subject-remedy = relight sites list les montre
attest-no-measure = Aucune mesure ne s’appelle ainsi.
attest-no-measure-remedy = mfa, action-1 … action-10; chacune est en place, oui ou non
attest-not-yours = Seul le responsable d’un site ou un administrateur atteste, avec une clé d’accès.
attest-not-yours-remedy = demandez à la personne qui répond de cet organisme
attest-done = { $subject } : { $measures }, jusqu’au { $until }
action-1 = Intégrer, surveiller et défendre les passerelles Internet
action-2 = Appliquer les correctifs aux applications et aux systèmes d’exploitation
action-3 = Gérer strictement les privilèges d’administrateur
action-4 = Renforcer les systèmes d’exploitation et les applications
action-5 = Segmenter et séparer l’information
action-6 = Offrir une formation sur mesure
action-7 = Protéger l’information au niveau de l’organisme
action-8 = Protéger chaque hôte
action-9 = Isoler les applications Web
action-10 = Tenir des listes d’applications autorisées
