### The console.

console-skip = Aller au contenu
console-menu = Menu
console-nav = Navigation principale
console-nav-incident = Incident
console-nav-sites = Sites
console-nav-public = Page publique
console-no-incident = Aucun incident ouvert
console-since = Ouvert depuis { $elapsed }
console-counters = Compteurs
counter-lit = en ligne
counter-dark = éteints, prouvés
counter-todo = touchés, à corriger
counter-share = part en ligne
counter-alarm = exposés ou non prouvés
wall-title = { NUMBER($sites) } { $sites ->
    [one] lumière
   *[other] lumières
 }
wall-by-state = Trier par état
wall-by-place = Chaque lumière à sa place
wall-as-table = Afficher en tableau
wall-role = mur de lumières
wall-keys = Flèches : parcourir un secteur; page précédente ou suivante : changer de secteur; Entrée : ouvrir le site. La liste des secteurs donne les mêmes nombres.
console-foreign-host = Sans connexion des personnes, cette console ne répond que sous le nom de sa propre machine (localhost).
wall-legend = Légende
sectors-title = Par secteur
sectors-note = en ligne / total
sectors-sentence = { $sector } : { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }, { NUMBER($lit) } en ligne, { NUMBER($dark) } { $dark ->
    [one] éteint
   *[other] éteints
 }, { NUMBER($todo) } à corriger
log-title = En direct (UTC)
log-empty = Rien encore.
live-on = En direct
live-wait = Connexion…
live-frozen = Données figées depuis { $time }
live-frozen-note = Données figées depuis { $time } : l'état réel a pu changer. Nouvelle tentative en cours…
live-full = Pas en direct depuis { $time } : trop de pages ouvertes
live-full-note = Cette page ne bouge plus depuis { $time } : votre compte a déjà autant de pages en direct qu’il en peut avoir. Fermez-en une; celle-ci réessaie d’elle-même.
live-old = Changé (appris à { $time })
live-show = Voir du nouveau
live-off = Sans script, cette page ne se met pas à jour toute seule.
live-summary = { NUMBER($lit) } en ligne, { NUMBER($dark) } { $dark ->
    [one] éteint
   *[other] éteints
 }
live-alarm = { NUMBER($count) } { $count ->
    [one] site exposé ou non prouvé
   *[other] sites exposés ou non prouvés
 }
duration-minutes = { NUMBER($minutes) } min
duration-hours = { NUMBER($hours) } h
language-switch = English
sites-title = Sites
sites-count = { NUMBER($count) } { $count ->
    [one] site
   *[other] sites
 }
sites-beyond = Un seul plan ne prend pas les { NUMBER($count) } sites ci-dessous par leurs noms. Resserrez le filtre, par un secteur par exemple, ou commencez le plan à l’écran de l’incident : il y prend les sites par ce que l’on en sait.
sites-none = Aucun site ne correspond.
sites-all-sectors = Tous les secteurs
sites-all-states = Tous les états
sites-all = Montrer tous les sites
sites-filter = Filtrer
sites-column-site = Site
sites-column-name = Nom
sites-column-organisation = Organisme
sites-column-sector = Secteur
sites-column-state = État
sites-previous = Précédent
sites-next = Suivant
sites-page = Page { NUMBER($page) } sur { NUMBER($pages) }
list-none = Rien ne correspond.
not-found-title = Page introuvable
not-found-text = Rien n'existe à cette adresse.
not-found-back = Retour à l'incident

console-nav-advisories = Avis
console-nav-watch = Veille
sites-words = Nom, adresse, organisme ou requête
incident-attempts = tentatives chez { NUMBER($bodies) } { $bodies ->
    [one] organisme
   *[other] organismes
 }
burn-title = Sites éteints dans le temps
burn-sentence = Sites éteints : sommet { NUMBER($peak) }, maintenant { NUMBER($dark) }
burn-sentence-ahead = Sites éteints : sommet { NUMBER($peak) }, maintenant { NUMBER($dark) }; zéro prévu vers { $zero }, entre { $soon } et { $late }
burn-pace = { $rate } sites par heure; fin dans { $hours } ({ $soon } à { $late })
burn-hours = { $value } h
burn-minutes = { $value } min
burn-seconds = { $value } s
burn-opened = incident ouvert
burn-most = le plus de sites éteints : { NUMBER($count) }
burn-back = premier site rallumé
burn-then = En pointillé : le rythme de décembre 2021, environ 11 sites par heure (1 044 rallumés en 94 heures)
burn-numbers = Les nombres
burn-time = Heure (UTC)

### Le site, la question, la veille.

site-facts = Fiche
site-origin = Adresse
site-cases = Dans les incidents ouverts
site-no-case = Aucun incident ouvert ne parle de ce site.
site-inventory = Inventaire
site-no-inventory = jamais inventorié
site-findings = Failles dans ce qu'il contient
site-no-finding = Aucun avis connu ne touche ce qui est inventorié.
site-no-finding-unsure = Aucune n’est connue dans ce qui a été lu. Du reste, personne ne peut rien dire : voyez l’inventaire ci-dessus.
site-components = Composants
site-components-shown = { NUMBER($shown) } sur { NUMBER($total) }
site-column-advisory = Avis
site-column-facts = Gravité
site-column-component = Composant
site-column-version = Version
site-column-path = Endroit
criticality-1 = Vital
criticality-2 = Essentiel
criticality-3 = Important
criticality-4 = Normal
affected-title = Lesquels de nos sites?
affected-question = Avis, adresse de paquet, ou nom et versions
affected-ask = Demander
affected-all-verdicts = Toutes les réponses
affected-ratings = { NUMBER($count) } { $count ->
    [one] évaluation
   *[other] évaluations
 }
affected-known = Avis connus, les plus graves d'abord
affected-nobody = Aucun site touché, aucun inconnu.
affected-why = Preuve ou raison
past-day = État à la fin de ce jour (UTC)
past-day-note = État à la fin du { $day }, d’après ce qu’on sait aujourd’hui. Ce n’est pas le présent.
past-day-now = Voir le présent
past-day-remedy = Indiquez un jour passé, comme 2021-12-10, ou laissez le champ vide pour le présent.
reach-title = Par quelles archives il atteint les sites
reach-component = Composant
reach-version = Version
reach-container = Conteneurs, de l’extérieur
reach-file = fichier
reach-others = { NUMBER($count) } autres
reach-sentence = Composants : { NUMBER($components) }. Sortes de conteneurs : { NUMBER($containers) }, le plus souvent { $first }. Organismes : { NUMBER($organisations) }. Sites : { NUMBER($sites) }.
reach-left-out = { NUMBER($sites) } autres sites touchés ne sont pas dans ce graphe; la liste ci-dessous les donne.
evidence-title = Preuve
evidence-basis = Reconnu par
evidence-since = Présent depuis
evidence-since-or-earlier = { $day } ou plus tôt
evidence-damaged = Un inventaire de ce site ne se relit pas : on ne peut dire ni ce qu’il contenait, ni depuis quand.
reach-damaged = Inventaires qui ne se relisent pas : { NUMBER($count) }. Le graphe ne montre pas ce qu’ils contiennent.
past-day-busy = D’autres jours passés sont en cours de lecture.
past-day-busy-remedy = Attendez un instant et reposez la question; le présent est toujours disponible.
answers-busy = D’autres questions reçoivent leur réponse.
answers-busy-remedy = Attendez un instant et reposez la question.
evidence-days = Son inventaire a changé le
basis-archive-digest = empreinte de l’archive entière
basis-fingerprint-exact = code de ses classes, exactement celui d’une version
basis-crc-set = sommes de contrôle de ses membres
basis-package-database = registre du gestionnaire de paquets
basis-pom-properties = pom.properties dans l’archive
basis-installed-metadata = métadonnées écrites à l’installation
basis-manifest = manifeste de l’archive
basis-class-name = nom d’une classe
basis-fingerprint-partial = code d’une partie de ses classes
basis-named-class = code d’une classe qu’un avis nomme
basis-path-string = texte dans un programme
basis-lock-file = fichier de verrouillage
basis-file-name = nom du fichier
basis-document = document d’un tiers
certainty-proven = prouvé par ses octets
certainty-recorded = consigné par qui l’a construit ou installé
certainty-partial = en partie; la version reste ouverte
certainty-named = seulement nommé ainsi
watch-title = Veille
watch-why = Pourquoi nous le pensons
watch-compromise = Des signes de compromission ont été vus.
stage-drill = EXERCICE
stage-drill-note = Rien de ce qui suit n’est réel.
stage-demo = DÉMONSTRATION
stage-demo-note = Province fictive : aucun de ces sites n’existe.
audit-dark = Extinction prouvée pour { NUMBER($count) } { $count ->
    [one] site
   *[other] sites
 } : { $sites }
audit-failed = { NUMBER($count) } { $count ->
    [one] site
   *[other] sites
 } autrement que voulu à { $edge }, { $why } : { $sites }
audit-unseen = Personne n'a regardé { $edge } à partir du { $since } : l'extinction de { NUMBER($count) } { $count ->
    [one] site n'était plus prouvée
   *[other] sites n'était plus prouvée
 } : { $sites }
audit-unknown = { $site } est inconnu : { $why }
audit-deployed = { $site } : d’autres fichiers sont en service
audit-led-past = Une graphie de son nom a contourné la barrière fermée de { $site } à { $edge } : { $spelling }
audit-verifying = { $site } : le correctif est en vérification
audit-verified = { $site } : la réponse derrière la barrière était celle attendue; signes de compromission : { $signs }
audit-verified-not = { $site } : la réponse derrière la barrière n’était pas celle attendue; signes de compromission : { $signs }
audit-relight = { $site } : rallumage ordonné
audit-title = Journal
audit-entries = { NUMBER($count) } { $count ->
    [one] entrée
   *[other] entrées
 }
audit-verify = Vérifier la chaîne
audit-intact = La chaîne est intacte : { NUMBER($entries) } { $entries ->
    [one] entrée
   *[other] entrées
 }, jusqu’à { $head }
audit-broken = La chaîne est rompue à l’entrée { NUMBER($seq) } : { $why }
audit-broken-remedy = Gardez le dossier tel qu’il est, puis comparez avec un export : relight audit verify FILE
audit-unread = Le journal ne peut pas être lu.
audit-column-seq = Numéro
audit-column-at = Moment
audit-column-actor = Qui
audit-column-kind = Genre
audit-column-incident = Incident
audit-column-body = Contenu
audit-older = Plus anciennes
audit-newer = Plus récentes
audit-note = Chaque entrée tient celle d’avant par son empreinte. Export pour un autre système : relight audit export
heat-title = Portes essayées, semaine par semaine
heat-sentence = Sites dont une porte connue fut essayée, par secteur, sur { NUMBER($weeks) } semaines jusqu’au { $until } : { $sector } le plus, { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
heat-key = { NUMBER($from) } et plus
heat-key-none = aucun site
heat-sites = Sites essayés
heat-most = Semaine la plus forte
heat-week = { $day } : { NUMBER($sites) }
heat-from = Du
heat-to = Au
lanes-title = Campagnes dans le temps
lanes-note = Une ligne par campagne, plus épaisse avec plus de sources; un point où un organisme est touché pour la première fois, plus grand pour plusieurs.
lanes-campaign = Campagne
lanes-organisations = Organismes
lanes-sources = Sources
lanes-first = Premier contact
lanes-last = Dernier contact
share-title = Emporter
share-format = Forme
share-blocklist = Liste de blocage
share-purpose = Pour quoi faire (c’est noté)
share-take = Télécharger
share-no-purpose = la raison manque, ou dépasse 500 octets
share-no-purpose-remedy = Dites en quelques mots qui le reçoit et pourquoi; la note reste avec la veille.
share-played = une campagne d’un exercice ou de la province fictive a été jouée et ne sort pas
share-played-remedy = Exportez depuis le dossier du vrai registre.
share-list-faulty = la liste des balayeurs bienveillants ne peut pas être lue, et une liste de blocage pourrait en contenir un
share-list-faulty-remedy = relight watch campaigns nomme chaque ligne de known-scanners.csv qui est fausse.
tell-title = Prévenir les organismes
tell-what = Chaque personne lit le numéro de la campagne, jusqu’où elle est allée chez son propre organisme, qu’une reconnaissance n’est pas une compromission tant qu’aucun signe n’en est vu, et quoi faire; rien d’un autre organisme.
tell-reach = { NUMBER($people) } { $people ->
    [one] personne
   *[other] personnes
 }, dans { NUMBER($organisations) } { $organisations ->
    [one] organisme
   *[other] organismes
 }, { $people ->
    [one] sera prévenue
   *[other] seront prévenues
 }.
tell-reach-again = Chacun a déjà été prévenu de cet échelon : { NUMBER($people) } { $people ->
    [one] personne
   *[other] personnes
 }, dans { NUMBER($organisations) } { $organisations ->
    [one] organisme
   *[other] organismes
 }.
tell-reach-done = { NUMBER($people) } { $people ->
    [one] personne
   *[other] personnes
 }, dans { NUMBER($organisations) } { $organisations ->
    [one] organisme
   *[other] organismes
 }, { $people ->
    [one] est prévenue
   *[other] sont prévenues
 }. C’est noté sous votre nom.
tell-reach-none = Aucun organisme touché n’a de compte ici.
tell-before = { $at } : { $who } a prévenu { NUMBER($people) } { $people ->
    [one] personne
   *[other] personnes
 }.
tell-confirm-first = Pour les prévenir, montrez d’abord qui vous êtes.
tell-back = Retour à la veille
tell-now = Prévenir
tell-again = Prévenir de nouveau
tell-without = À joindre par téléphone
tell-without-text = Personne n’a ici de compte pour ces organismes; ceci ne les prévient pas.
tell-told = chacun a déjà été prévenu de cet échelon
tell-told-remedy = On prévient de nouveau depuis la page de la campagne.
tell-limit = Des organismes ont été prévenus { NUMBER($most) } fois dans la dernière heure
tell-limit-remedy = Attendez qu’une heure soit passée depuis la première fois, ou téléphonez : plus à la fois ferait disparaître ce que les gens n’ont pas encore lu.
lanes-sentence = { NUMBER($shown) } { $campaigns ->
    [one] campagne
   *[other] campagnes
  } sur { NUMBER($campaigns) }, la plus récente en premier; { $most } a touché le plus d’organismes : { NUMBER($organisations) }.

look-title = Affichage
look-light = Clair ou sombre
look-light-system = Comme le système
look-light-light = Clair
look-light-dark = Sombre
look-contrast = Contraste
look-system = Comme le système
look-more = Renforcé
look-keep = Enregistrer
look-note = Ce navigateur s'en souvient un an. Rien d'autre n'est noté.

actors-title = Acteurs
actors-count = { NUMBER($count) } { $count ->
    [one] acteur
   *[other] acteurs
 }
actors-words = Adresse, empreinte ou campagne
actors-all = Toutes les gravités
actors-none = Aucun acteur ne correspond.
actors-who = Adresses
actors-contacts = Essais
actors-more = et { NUMBER($count) } de plus
incident-others = Incidents ouverts eux aussi
incident-other = { $since } : { NUMBER($dark) } { $dark ->
    [one] éteint
   *[other] éteints
 }, { NUMBER($todo) } { $todo ->
    [one] touché
   *[other] touchés
 } à corriger

### Les frontaux.

edges-title = Frontaux
edges-count = { NUMBER($count) } { $count ->
    [one] frontal
   *[other] frontaux
 }
edges-none = Aucun frontal n’est au registre.
edges-without = { NUMBER($count) } { $count ->
    [one] site n’est derrière aucun frontal du registre : on ne peut pas l'éteindre.
   *[other] sites ne sont derrière aucun frontal du registre : on ne peut pas les éteindre.
 }
edges-more = et { NUMBER($count) } de plus
edges-wanted = À éteindre
edges-differs = Autrement que voulu
edges-barrier = Seconde barrière
edges-barrier-none = aucune
edges-barrier-none-why = ce que ce frontal n’éteint pas reste ouvert
edges-barrier-of = se tient derrière { $edge }
edges-barrier-waits = n’a rien à fermer
edges-barrier-closes = ferme { NUMBER($count) } { $count ->
    [one] site
   *[other] sites
}
edges-barrier-fails = ne ferme pas { NUMBER($count) } { $count ->
    [one] site
   *[other] sites
} : { $why }
edges-barrier-and = { $closes }, et { $keeps }
edges-barrier-keeps = ne rouvre pas { NUMBER($count) } { $count ->
    [one] site
   *[other] sites
} : { $why }
edges-turned = Dernière bascule
edges-drilled = Dernier exercice
edges-undrilled = aucun, tel qu’il est
edges-listeners = Écoute sur
edges-agrees = conforme
edges-differing = en écart
edges-failing = son témoin échoue
edges-fenced = écarté
edges-rehearsed = un exercice a laissé des sites éteints
edges-unreadable = son entrée est illisible
edges-resting = rien n’est demandé
edges-why = { $why }, depuis { $at }
edges-note = Ce que le journal sait de chaque frontal : rien ne leur a été demandé pour cette page. Pour les interroger :

# when
brief-open = ouvert depuis le { $when }
# when
brief-closed = fermé; il fut ouvert le { $when }
# when
brief-as-of = état du { $when }
brief-part = Ceci est la partie de l’incident que vous lisez.
brief-sites = Sites de cet incident
brief-words = Publié
brief-report = Écrire le rapport
brief-others = Autres incidents
brief-link = sur une page
