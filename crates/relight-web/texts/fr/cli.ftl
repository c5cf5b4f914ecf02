### The command line.

label-error = erreur
label-hint = conseil
label-warning = avertissement
label-next = Ensuite

# The first line of an answer.
affected-summary = { NUMBER($affected) } { $affected ->
    [one] site touché
   *[other] sites touchés
 } sur { NUMBER($total) }, { NUMBER($unknown) } { $unknown ->
    [one] inconnu
   *[other] inconnus
 }, { NUMBER($clear) } hors de cause
affected-part = Seulement les sites que le compte du jeton peut lire; il y en a d’autres, dont rien n’est dit.
affected-remote-by-remedy = d’un serveur : --by site, ou --by none avec les sites hors de cause

column-sector = Secteur
column-organisation = Organisme
column-site = Site
column-sites = Sites
column-affected = Touchés
column-unknown = Inconnus
column-share = Part
column-aliases = Autres noms
column-parts = Parties que l'on peut fermer seules
column-names = Noms d'hôte
column-edge = Frontal
column-state = État
column-reason = Raison

and-more-sectors = … et { NUMBER($count) } { $count ->
    [one] autre secteur
   *[other] autres secteurs
 } (--by none les montre tous)

# The first three numbers of a scan.
scan-summary = { NUMBER($files) } { $files ->
    [one] fichier lu
   *[other] fichiers lus
 }, { NUMBER($archives) } { $archives ->
    [one] archive
   *[other] archives
 } (profondeur { NUMBER($deepest) }), { NUMBER($components) } { $components ->
    [one] composant
   *[other] composants
 }
scan-unread = { NUMBER($count) } { $count ->
    [one] endroit illisible
   *[other] endroits illisibles
 }

plan-nothing-changed = Rien n'a changé.
exit-unknown = { NUMBER($count) } { $count ->
    [one] site inconnu
   *[other] sites inconnus
 }


### Erreurs et remèdes.

labelled = { $label } : { $text }
labelled-place = { $label } : { $place } : { $text }
detail-label = détail technique
stdout-failed = la sortie n'a pas pu être écrite
cannot-read = impossible de lire { $path }
fail-usage-remedy = { $command } --help dit ce que la commande attend
fail-remedy = relight doctor dit ce qui fait obstacle sur cette machine
stdout-failed-remedy = faites de la place là où l’on écrit, ou écrivez ailleurs
scan-ended-remedy = analysez de nouveau; si cela finit encore là, excluez-le par --exclude
catalogue-too-many-remedy = importez-en moins à la fois : un sous-dossier après l’autre
share-bad-remedy = faites-le récrire : relight watch share FICHIER
cannot-read-remedy = vérifiez que le chemin est exact et que vous avez le droit de le lire
cannot-write = impossible d'écrire { $path }
cannot-write-remedy = vérifiez que le dossier existe, que vous pouvez y écrire et qu'il reste de la place
no-register = il n'y a pas de registre dans { $folder }
no-register-remedy = créez-en un avec : { $command }, ou nommez un autre dossier avec --data
no-such-site = il n'y a pas de site { $site } dans le registre
no-such-site-remedy = relight sites list montre les sites
inventory-stored = inventaire de { $site } enregistré
inventory-in-history = inventaire de { $site } mis à l'historique : celui du { $newer } est plus récent et reste l'actuel

store-corrupt = le registre est endommagé, ou n'est pas un registre de relight
store-corrupt-remedy = rien n'a été changé : restaurez une sauvegarde
store-newer = le registre a été écrit par un relight plus récent
store-newer-remedy = mettez ce programme à jour
server-runs = un serveur en marche tient ce registre, et cette commande y mettrait fin
server-runs-remedy = faites-le sur sa console, ou arrêtez d'abord ce serveur; rien n'a été changé
store-fenced = un autre relight a pris la main sur ce dossier
store-fenced-remedy = rien n'a été changé : voyez quel relight y tourne
engine-broken = le journal n'est pas ce qui fut écrit : rien n'est fait sur sa foi
engine-broken-remedy = les barrières restent comme elles sont, et rien ne se rallume ni ne s'éteint par ce journal : gardez une copie du dossier, restaurez la sauvegarde la plus récente que relight audit verify trouve intacte, et redémarrez; ce qui y est éteint sans ordre le reste et vous est dit (relight edge check)
store-plan-stale = le registre a changé entre-temps
store-plan-stale-remedy = rien n'a été changé : relancez la commande
store-disk-full = le disque est plein
store-disk-full-remedy = rien n'a été changé : faites de la place et relancez la commande
store-busy = un autre programme occupe le registre
store-busy-remedy = attendez un instant et relancez la commande
store-not-found = un élément nommé n'est pas dans le registre
store-not-found-remedy = relight sites list montre les sites
store-limit = un élément dépasse une limite
store-limit-remedy = divisez l'entrée
store-other = le registre ne peut pas être utilisé
store-other-remedy = vérifiez que vous pouvez lire et écrire le dossier, ou nommez-en un autre avec --data

engine-stale = la situation n'est plus celle qui a été montrée
engine-stale-remedy = rien n'a été changé : revoyez le plan avec --dry-run
engine-rejected = l'état de l'incident ne le permet pas
engine-rejected-remedy = relight incident status montre où il en est
engine-not-found = un élément nommé n'existe pas
engine-not-found-remedy = relight incident status et relight sites list montrent ce qui existe
engine-other = l'opération n'a pas réussi
engine-other-remedy = relancez la commande; si elle échoue encore, relight audit verify vérifie le journal

### Arguments inutilisables.

usage-unknown-command = commande inconnue « { $name } »
usage-unknown-option = option inconnue « { $name } »
usage-surplus-word = « { $name } » est un mot de trop
usage-no-value = il faut une valeur à { $name }
usage-bad-value = { $name } ne peut pas être « { $value } »
usage-no-equals = la valeur de { $name } suit un signe d'égalité
usage-number-of-values = { $name } n'a pas le bon nombre de valeurs
usage-conflict = { $name } et { $other } ne vont pas ensemble
usage-missing = il manque : { $names }
usage-no-command = il manque une commande
usage-not-utf8 = un argument n'est pas du texte UTF-8
usage-other = les arguments ne peuvent pas être utilisés
usage-near = ce qui existe de plus proche : { $near }
usage-values = possibilités : { $values }
usage-more = Pour en savoir plus : { $command }

### Analyses.

scan-one-target = --sbom, --flaws et --site ne vont qu'avec une seule cible
scan-bad-redaction = --redact-paths ne peut pas être « { $value } »
scan-bad-redaction-remedy = écrire REGEX=TEXTE : ce qui correspond à l’expression devient le texte
scan-slow = plus de 10 s sur { $path }
scan-percent = { NUMBER($percent) } %, { $text }
scan-progress = { NUMBER($files) } { $files ->
    [one] fichier
   *[other] fichiers
 }, { NUMBER($archives) } { $archives ->
    [one] archive
   *[other] archives
 } (profondeur { NUMBER($deepest) }), { NUMBER($megabytes) } Mo, { NUMBER($flaws) } { $flaws ->
    [one] non lu
   *[other] non lus
 }
scan-file = un fichier que vise un avis à vous
scan-hidden = { NUMBER($count) } { $count ->
    [one] composant caché par une couche supérieure, non compté
   *[other] composants cachés par des couches supérieures, non comptés
 }
scan-fast-site = { $site } a l’inventaire d’une analyse complète; le mode fast en saurait moins
scan-fast-remedy = le mode fast trouve et ne prouve aucune absence : --mode deep lit tout
scan-fast-exhibits = le mode fast n’a pas cherché les fichiers et les classes que visent vos propres avis
scan-known = { NUMBER($files) } { $files ->
    [one] fichier n’a pas été relu
   *[other] fichiers n’ont pas été relus
 } (cache; --no-cache relit tout)
cache-damaged = le cache était endommagé et il est jeté; tout ce qui était douteux a été relu
cache-not-saved = le cache n’a pas pu être écrit; la prochaine analyse relira tout
scan-unread-remedy = ce qui n'a pas pu être lu peut contenir n'importe quoi : la réponse est incomplète
and-more-places = … et { NUMBER($count) } de plus (--json montre tout)
finding-affected = touché
finding-mitigated = touché, atténué
finding-declared-only = peut-être touché : seul un fichier de verrouillage ou un document de construction le nomme
finding-possible-match = peut-être touché : version absente ou non comparable
finding-range-unresolved = peut-être touché : l'avis ne donne aucun intervalle

### Requêtes et questions.

quoted = { $text } « { $value } »
here = ici
query-keys = clés connues : { $keys }
query-keys-near = clés connues : { $keys }; la plus proche : { $near }
query-values = valeurs connues : { $values }
query-values-near = valeurs connues : { $values }; la plus proche : { $near }
query-stack = rien avec quoi on sache que des sites sont construits
query-unknown-key = clé inconnue
query-unknown-word = mot inconnu
query-operator = opérateur qui ne convient pas à cette clé
query-value = valeur qui ne convient pas à cette clé
query-criticality = la criticité va de 1 à 4
query-parenthesis = parenthèse sans sa pareille
query-quote = guillemet qui n'est pas refermé
query-end = il manque une condition ici
query-too-long = la requête est plus longue que 4 096 octets
query-too-many-terms = la requête a plus de 64 conditions
query-too-deep = la requête est imbriquée sur plus de 16 niveaux
# what, code, byte
query-fault-at = { $what } ({ $code } à l’octet { $byte })
query-needs-question = « affected », « clear » et « unknown » seuls demandent une question
query-needs-question-remedy = nommez-la : affected:CVE-2021-44228
question-empty = la question est vide
question-too-long = la question est trop longue
question-name = ce nom ne se lit pas
question-purl = cette adresse de paquet ne se lit pas
question-operator = cet opérateur ne se lit pas
question-version = cette version ne se lit pas
question-remedy = demandez un avis (CVE-2021-44228), une adresse de paquet (pkg:maven/…) ou un nom avec des versions (log4j-core<2.17.1)
no-such-advisory = aucun avis ne porte l'identifiant { $id }
no-such-advisory-remedy = mettez les avis à jour : { $command }
not-scored = sans cote CVSS
affects-versions = touche { $versions }
fixed-in = corrigé dans { $versions }
exit-unknown-remedy = { NUMBER($count) } { $count ->
    [one] site inconnu
   *[other] sites inconnus
 } : relight sites gaps montre ce qui manque

### Sites.

column-criticality = Criticité
column-exposure = Exposition
exposure-internet = internet
exposure-controlled = à travers un contrôle (VPN, liste d'adresses, partenaire)
exposure-internal = interne seulement
exposure-unknown = inconnue, compte comme internet
exposure-probed = { $exposure }, tentatives vues
column-kind = Genre
column-gate = Barrière
column-equal = Conformes
column-org = Organisme
sites-shown = { NUMBER($shown) } sur { NUMBER($total) }
asset-summary = inventaire du { $at }, { NUMBER($components) } { $components ->
    [one] composant
   *[other] composants
 }
inventory-complete = inventaire complet et récent
site-hidden = les questions sur { $kind } restent sans réponse
gaps-found = { NUMBER($gaps) } { $gaps ->
    [one] lacune
   *[other] lacunes
 } pour { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
gap-no-edge = aucun frontal : le site ne peut pas être éteint
gap-edge-unregistered = son frontal n'est pas dans le registre
import-summary = { NUMBER($added) } { $added ->
    [one] ajouté
   *[other] ajoutés
 }, { NUMBER($changed) } { $changed ->
    [one] changé
   *[other] changés
 }, { NUMBER($untouched) } { $untouched ->
    [one] inchangé
   *[other] inchangés
 }, { NUMBER($refused) } { $refused ->
    [one] refusé
   *[other] refusés
 }
csv-empty = le fichier est vide
csv-empty-remedy = la première ligne doit nommer les colonnes : slug, name_fr, name_en, origin, organisation, sector, criticality, edge, public, exposure, aliases, parts
csv-column-missing = il manque une colonne
csv-column-missing-remedy = ajoutez-la à la première ligne; rien n'a été importé
csv-column-unknown = colonne inconnue
csv-column-unknown-remedy = elle a été laissée de côté; corrigez son nom ou retirez-la
csv-column-twice = colonne répétée
csv-column-twice-remedy = la première a été prise; retirez l'autre
csv-fields = nombre de champs différent de celui de la première ligne
csv-fields-remedy = ajoutez ou retirez des séparateurs, ou mettez le texte entre guillemets
csv-utf8 = texte qui n'est pas en UTF-8
csv-utf8-remedy = enregistrez le fichier en UTF-8
csv-slug = ce nom court ne peut pas être une clé
csv-slug-remedy = lettres minuscules sans accent, chiffres et . _ @ -, 128 au plus, en commençant par une lettre ou un chiffre
csv-criticality = la criticité va de 1 (vital) à 4
csv-criticality-remedy = corrigez la ligne et importez de nouveau
csv-public = « public » se répond par oui ou non
csv-exposure = l'exposition est internet, controlled, internal ou unknown
csv-exposure-remedy = corrigez la ligne et importez de nouveau
csv-channel = un autre moyen de joindre un service est une ligne de 200 caractères au plus
csv-channel-remedy = raccourcissez-le, sans signes invisibles : un numéro de téléphone, ou un comptoir
csv-channel-words = un autre moyen de joindre un service figure sur la page publique et ne nomme aucune faille et ne dit rien de données
csv-channel-words-remedy = dites seulement comment le joindre : un numéro de téléphone, ou un comptoir
csv-part = ce n'est pas une partie de site
csv-part-remedy = écrivez NOM=/CHEMIN, @internet ou @write, séparés par des espaces, par exemple rendez-vous=/rendez-vous @write
csv-public-remedy = corrigez la ligne et importez de nouveau
import-bad-origin = cette origine n'a pas de nom d'hôte valable
import-bad-origin-remedy = écrivez par exemple https://www.exemple.quebec
import-bad-alias = un autre nom du site n'est pas un nom d'hôte valable
import-bad-alias-remedy = écrivez des noms d'hôte séparés par des espaces, par exemple www.exemple.quebec ancien.exemple.quebec
import-too-many-aliases = plus d'autres noms qu'un site ne peut en avoir
import-too-many-aliases-remedy = laissez les noms que personne n'emploie; chacun est demandé à chaque preuve d'extinction
import-too-many-parts = plus de parties qu'un site ne peut en avoir
import-too-many-parts-remedy = laissez les parties que personne ne fermerait seules
import-part-twice = le nom d'une partie est pris : par une autre partie du site ou par un site, ou il est trop long
import-part-twice-remedy = donnez un autre nom à la partie
import-slug-of-part = le nom du site est celui d'une partie d'un autre site
import-slug-of-part-remedy = donnez un autre nom au site, ou à la partie
import-no-organisation = la ligne ne nomme aucun organisme
import-no-organisation-remedy = remplissez la colonne organisation
import-text-too-long = un texte dépasse 4 096 octets
import-text-too-long-remedy = raccourcissez-le
import-slug-twice = le même site est déjà à la ligne
import-slug-twice-remedy = gardez une des deux lignes
import-host-twice = le même nom d'hôte est déjà à la ligne
import-host-twice-remedy = un nom d'hôte n'appartient qu'à un site
import-host-taken = ce nom d'hôte est déjà celui du site
import-host-taken-remedy = un nom d'hôte n'appartient qu'à un site
import-barrier = le frontal de ce site est la seconde barrière d'un autre, et ne reçoit pas d'ordres à lui
import-barrier-remedy = nommez le frontal qui sert le site
import-grouped = le frontal de ce site fait partie d'un groupe, et ne reçoit pas d'ordres à lui
import-grouped-remedy = nommez le groupe
import-held-dark = un incident garde ce site éteint, ou son rallumage n’est pas encore prouvé : son frontal et son adresse restent, et aucun de ses autres noms n’est retiré
import-held-dark-remedy = rallumer d’abord le site, puis le déplacer ou retirer des noms
import-held-public = un incident garde ce site éteint, ou son rallumage n’est pas encore prouvé : il reste sur la page publique, qui dirait que tout est revenu
import-held-public-remedy = rallumer d’abord le site, puis le retirer de la page publique
import-sector-twice = le même organisme a un autre secteur à la ligne
import-sector-twice-remedy = un organisme n'a qu'un secteur

### Avis.

update-summary = Fichiers : { NUMBER($files) }, avis : { NUMBER($records) }; nouveaux : { NUMBER($new) }, changés : { NUMBER($changed) }, inchangés : { NUMBER($same) }, refusés : { NUMBER($refused) }
import-progress = { $place } : { NUMBER($records) } { $records ->
    [one] fiche
   *[other] fiches
 }
import-no-file = il n'y a aucun fichier : rien n'a été lu
import-notes = pris, avec avertissements : { NUMBER($count) }
import-scores = Scores EPSS : { NUMBER($count) }
import-more-warnings = et { NUMBER($count) } autres avertissements
search-found = trouvés : { NUMBER($count) }
revision-withdrawn = retiré
advisories-new-more = il en est venu plus depuis lors que les { NUMBER($shown) } plus récents, que voici; --limit en montre jusqu’à { NUMBER($most) }
source-state-never = jamais lue
source-state-fresh = à jour
source-state-late = en retard : rien depuis deux de ses périodes
source-state-failing = en échec : les trois dernières lectures n'ont rien donné
source-state-refused = refusée : la dernière liste semblait fausse
source-state-disabled = débranchée : ce qu'elle dit ne compte pas
source-unknown = aucune source n'est connue sous ce nom
source-unknown-remedy = relight advisories sources les montre
source-own = vos propres avis ne se débranchent pas ensemble
source-own-remedy = relight advisories retire ID --reason TEXTE, un par un
sources-disabled = débranchées, donc ce qu'elles disent ne compte pas : { $names }
source-vanished = absentes de la dernière liste
source-stale-record = dont une version plus récente n'a pas pu être lue
source-gap = aucune source ne parle de { $ecosystem }, qui est installé quelque part
not-a-purl = « { $text } » n'est pas une adresse de paquet ({ $why })
not-a-purl-remedy = par exemple pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1
source-records = { $source } : { NUMBER($records) } { $records ->
    [one] avis
   *[other] avis
 }
sources-updated = mis à jour le { $at }
sources-never-updated = jamais mis à jour : seuls les avis livrés avec relight sont connus
feed-state-never = jamais cherché en entier
feed-state-fresh = à jour
feed-state-behind = à la traîne : des changements que ses listes nomment ne sont pas encore suivis
feed-state-late = en retard : aucune lecture réussie depuis deux périodes
feed-state-failing = en échec : les trois dernières lectures ont mal tourné
feed-every = toutes les { NUMBER($minutes) } min
feed-times = dernière réussite { $good }, dernier essai { $tried }
feed-held = son serveur demande qu'on le laisse jusqu'à { $until }
feed-waiting = changements pas encore suivis, car nombreux : { NUMBER($count) }
feed-missed = fiches de la dernière liste complète qu'aucune liste de changements n'avait dites : { NUMBER($count) }
feeds-ready = Fils connus par leur nom : { $names }
feed-fault-unreachable = le serveur est hors d'atteinte
feed-fault-certificate = le certificat du serveur n'est pas digne de foi
feed-fault-timed-out = le serveur a pris trop de temps
feed-fault-cut = la réponse a été coupée
feed-fault-redirect = le serveur renvoie ailleurs trop souvent, ou en clair
feed-fault-status = le serveur ne donne pas le document
feed-fault-busy = le serveur demande qu'on le laisse
feed-fault-too-long = la réponse est trop longue
feed-fault-answer = la réponse n'est pas du HTTP
feed-fault-disk = le dossier de données ne peut être écrit
feed-fault-stopped = terminé avant la fin
feed-fault-gone = le fil a été retiré de la liste entre-temps, ou remis
feed-fault-authorities = les certificats des autorités ne peuvent être lus
feed-fault-list = la liste des changements ne peut être lue
feed-fault-incomplete = des documents que nomme une liste ne sont pas venus
feed-fault-damaged = une partie de ce qui est venu est illisible
feed-fault-nothing-usable = ce qui est venu ne contient aucun avis
feed-fault-refused = ce qui est venu a été refusé, car trop change ou trop manque
feed-unknown = aucun fil n'est connu sous ce nom
feed-unknown-remedy = noms : relight advisories feeds; tout autre fil avec --url
feed-name = ce n'est pas un nom de fil
feed-name-remedy = jusqu'à 500 lettres, sans tiret devant
feed-address = cette adresse n'est pas interrogée
feed-address-remedy = https, sans mot de passe; http sur cette machine seulement, car qui se trouve en chemin pourrait écrire des avis
feed-period = ce n'est pas un temps entre deux lectures
feed-period-remedy = de 5m à 7d : 15m, 2h, 1d
feed-twice = il y a déjà un fil de ce nom
feed-twice-remedy = relight advisories feeds remove avec son nom, puis l'ajouter de nouveau
feed-too-many = il y a déjà trop de fils, au plus
feed-too-many-remedy = relight advisories feeds remove avec des noms dont personne n'a besoin
feed-one-url = une adresse sert à un seul fil
feed-one-url-remedy = les ajouter un par un
feed-none = il n'y a pas de fil de ce nom
feed-none-remedy = relight advisories feeds les montre
fetch-no-feeds = il n'y a rien à chercher : ce registre n'a pas de fils
fetch-no-feeds-remedy = relight advisories feeds add kev epss osv/Maven; ou sans réseau : relight advisories update --offline DOSSIER
fetch-elsewhere = un autre processus cherche déjà pour ce dossier de données
fetch-elsewhere-remedy = attendre qu'il ait fini; un serveur avec --fetch cherche de lui-même
fetch-authorities-remedy = nommer un fichier de certificats (PEM) par --ca
fetch-progress = recherche de { NUMBER($count) } fils
fetch-failed = { $why }; ce qui était connu reste
fetch-same = rien de nouveau
fetch-changed = nouveaux : { NUMBER($new) }, changés : { NUMBER($changed) }, inchangés : { NUMBER($same) }
remedy-feed-failed = ce qui était connu reste et compte; relight advisories feeds dit depuis quand
remedy-feed-list = le reste de la liste est utilisé; signalez-le à son éditeur
remedy-feed-document = les autres sont venus
no-such-ecosystem = il n'y a pas d'écosystème « { $name } »
no-such-ecosystem-remedy = écosystèmes : { $names }; ordres : { $schemes }
order-line = ligne { NUMBER($line) }
order-other = ligne { NUMBER($line) } : { $text }; relight dit { $judged }
order-summary = { NUMBER($lines) } { $lines ->
    [one] ligne
   *[other] lignes
 } selon l'ordre de { $scheme }, { NUMBER($different) } { $different ->
    [one] jugée
   *[other] jugées
 } autrement
order-one-version = une version seule n'a pas d'ordre
order-remedy = écrivez une comparaison par ligne, avec des espaces autour du signe : 1.0 < 1.1, 1.0 = 1.0.0 ou 1.1 > 1.0
order-line-sign = aucun signe <, = ou > entre deux versions
order-line-left = aucune version avant le signe
order-line-right = aucune version après le signe
order-line-too-long = plus de 4096 octets
order-line-utf8 = ce n'est pas du texte UTF-8
cvss-scores = base { $base }  temporel { $temporal }  environnemental { $environmental }  { $vector }
cvss-scores-4 = base { $base }  menace { $threat }  environnemental { $environmental }  { $vector }
cvss-argument = vecteur { NUMBER($at) }
cvss-refused = { $what }, au caractère { NUMBER($at) } : « { $part } »
cvss-remedy = par exemple CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H; rien n'est deviné d'un vecteur incomplet
cvss-empty = aucun vecteur
cvss-too-long = plus de 1024 octets
cvss-version = ce n'est pas un vecteur CVSS de version 2, 3.0, 3.1 ou 4.0
cvss-metric = une métrique que cette version n'a pas
cvss-value = une valeur que cette métrique n'a pas
cvss-twice = une métrique déjà donnée
cvss-missing = il manque une métrique de base
warning-advisory-unreadable = fichier illisible
remedy-advisory-unreadable = vérifiez qu'il est entier et que vous avez le droit de le lire
remedy-advisory-format-unknown = donnez une forme publiée : OSV, CVE, NVD, CSAF, VEX, KEV, EPSS, ou le suivi de Debian ou d'Alpine
remedy-advisory-format-other = un fil ne parle que pour lui; cherchez l'autre chez son propre éditeur
remedy-advisory-bad-record = les autres ont été lus; signalez celui-ci à sa source
remedy-advisory-note = la fiche a été utilisée; signalez-la à sa source
remedy-duplicate-id = rien à faire : les deux sont gardées comme une seule
remedy-source-refused = regardez la liste; si elle est juste : relight advisories import --accept avec le nom de la source
remedy-advisory-too-large = signalez-le à sa source
remedy-advisory-own = s’il est juste : relight advisories import --accept own avec ce fichier
remedy-osv-bad-record = les autres ont été lus; signalez celui-ci à sa source
remedy-osv-note = le reste de l'avis est utilisé
remedy-sbom-component = l'inventaire est incomplet : corrigez l'outil qui l'écrit
remedy-sbom-purl = l'inventaire est incomplet : corrigez l'outil qui l'écrit
remedy-sbom-flaw = l'inventaire compte comme incomplet
remedy-bad-database = l'inventaire est incomplet : vérifiez le fichier
remedy-bad-lock = l'inventaire est incomplet : vérifiez le fichier
remedy-bad-metadata = l'inventaire est incomplet : vérifiez le fichier
remedy-bad-program = l'inventaire est incomplet : vérifiez le programme
remedy-dpkg-bad-status = l'inventaire est incomplet : vérifiez le fichier
remedy-maven-bad-pom-properties = l'inventaire est incomplet : vérifiez l'archive
remedy-npm-bad-lock = l'inventaire est incomplet : vérifiez le fichier
remedy-npm-bad-package = l'inventaire est incomplet : vérifiez le fichier
remedy-python-bad-metadata = l'inventaire est incomplet : vérifiez le fichier

### Inventaires.

sbom-no-inventory = { $site } n'a pas encore d'inventaire
sbom-no-inventory-remedy = analysez-le d'abord : relight scan TARGET --site { $site }
sbom-same = aucune différence
sbom-fixes = corrige { $ids }
sbom-brings = apporte { $ids }
complaints-none = aucun reproche
lint-form = { NUMBER($count) } { $count ->
    [one] faute de forme
   *[other] fautes de forme
 }
lint-minimum = { NUMBER($count) } { $count ->
    [one] élément minimal manquant
   *[other] éléments minimaux manquants
 }
lint-more = seuls les { NUMBER($count) } premiers sont montrés
complaints-remedy = corrigez l'outil qui l'écrit
sbom-one-file = --site ne va qu'avec un seul fichier
sbom-without-time = { $file } ne dit pas quand il a été fait, et un vieil inventaire ne prouve rien d'aujourd'hui
sbom-observed-remedy = dites quand ce qu'il énumère était déployé, dans le passé : --observed 2026-11-28T20:00:00Z
not-an-inventory = { $file } n'est pas un inventaire lisible
not-an-inventory-remedy = donnez du JSON CycloneDX 1.2 à 1.7 ou SPDX 2.2 à 3.0
sbom-summary = { NUMBER($components) } { $components ->
    [one] composant
   *[other] composants
 }, { NUMBER($unread) } { $unread ->
    [one] lacune
   *[other] lacunes
 }

### Incidents.

operator-missing = personne n'a le droit de commuter depuis la ligne de commande ici
operator-missing-remedy = pour une ville d'au plus 5 sites, écrivez dans { $path } : [operators] puis single = "VOTRE NOM"
operator-two-people = des personnes se connectent à ce registre : un opérateur seul n'a donc que la règle pour une personne, quelques sites d'un organisme, aucun vital, selon la politique signée
operator-two-people-remedy = proposez-le dans la console, où une seconde personne approuve : relight serve
operator-alone = un opérateur seul n'a que la règle pour une personne : quelques sites à soi, aucun vital, et en un jour pas plus que la politique signée ne laisse commuter à une personne
operator-alone-remedy = relight policy show donne les règles; ce qui exige deux personnes se demande dans la console : relight serve
operator-too-many = un seul opérateur suffit jusqu'à { NUMBER($most) } sites; ce registre en a { NUMBER($sites) }
operator-too-many-remedy = il faut deux personnes et un serveur qui connaît les identités
policy-unusable = la politique { $path } ne peut pas être utilisée
policy-unusable-remedy = elle contient [operators], [switching], [oidc], [keys] et [[standing]] comme le guide les montre (plans, sign-in), rien d’autre
operator-unread = la politique ne peut pas être utilisée : le compte du système est noté
weak-keys = { NUMBER($count) } { $count ->
    [one] personne n’a
   *[other] personnes n’ont
 } aucune clé d’accès qui compte, seulement des clés trop faibles : { $names }
weak-keys-remedy = que chacune en enregistre une autre avec un nouveau lien d’un administrateur, ou que la politique signée dise keys.rsa_bits_min = 2048
incident-untranslated-remedy = publiez de nouveau avec --fr et --en; relight public export --languages fr donne une page sans anglais
incident-needs-advisory = un incident porte sur un avis
incident-needs-advisory-remedy = relight affected répond aux questions sur un paquet
incident-bad-title = cela ne peut pas être le titre d’un incident
# most
incident-bad-title-remedy = donnez une ligne qui dit quelque chose, de { NUMBER($most) } octets au plus, sans signes invisibles
# id
incident-opened = Incident { $id } ouvert
incident-updated = { $incident } : publié, et sur la page publique dès qu’elle est écrite
incident-closed = Incident { $id } clos
example-reason = Log4Shell
fix-started = { $site } : correctif commencé
no-such-incident = il n'y a pas d'incident { $id }
no-such-incident-remedy = relight incident status montre les incidents ouverts
no-open-incident = aucun incident n'est ouvert
no-open-incident-remedy = ouvrez-en un : { $command }
several-incidents = plusieurs incidents sont ouverts
several-incidents-remedy = nommez-en un avec --incident : { $ids }
incident-is-closed = clos
open-for-hours = ouvert depuis { NUMBER($hours) } h
not-proven = { NUMBER($count) } { $count ->
    [one] site exposé : extinction voulue et pas prouvée, ou en ligne sans preuve actuelle
   *[other] sites exposés : extinction voulue et pas prouvée, ou en ligne sans preuve actuelle
 }
unseen = { NUMBER($sites) } { $sites ->
    [one] site prouvé éteint compte comme exposé
   *[other] sites prouvés éteints comptent comme exposés
 } : personne n'a regardé les frontaux depuis le { $since }
unseen-ever = { NUMBER($sites) } { $sites ->
    [one] site prouvé éteint compte comme exposé
   *[other] sites prouvés éteints comptent comme exposés
 } : on ne connaît personne qui ait regardé les frontaux depuis
unseen-remedy = relight serve regarde les frontaux et prouve ce qui est éteint
unseen-served-remedy = un serveur fonctionne et ne dit pas qu'il regarde : voyez ses messages, puis redémarrez-le
nobody-looks-on = cette commande ne regarde plus : dans 15 s, ce qui est éteint compte comme exposé, sauf si relight serve continue de regarder
plan-hash = plan { $hash }
plan-summary = { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } ({ NUMBER($affected) } { $affected ->
    [one] touché
   *[other] touchés
 }, { NUMBER($unknown) } { $unknown ->
    [one] inconnu
   *[other] inconnus
 }, { NUMBER($vital) } { $vital ->
    [one] vital
   *[other] vitaux
 }) sur { NUMBER($edges) } { $edges ->
    [one] frontal
   *[other] frontaux
 }
skipped-already-so = est déjà ainsi
skipped-no-edge = aucun frontal ne le commande
skipped-protected = est sur la liste protégée
skipped-edge-lint = reste allumé : la configuration de son frontal laisse passer une barrière fermée
skipped-exempt = peut rester en ligne : une exemption est en vigueur
skipped-no-clear-evidence = aucune preuve actuelle ne le dit hors de cause
skipped-not-verified-yet = hors de cause, mais sa correction n'est pas encore vérifiée
skipped-held-elsewhere = un autre incident le tient éteint
skipped-restored = n'est connu que d'avant le retour du registre d'une copie plus ancienne : analysez-le à nouveau
skipped-no-such-part = n'a pas de partie de ce nom
skipped-no-part-gate = son frontal n'a pas de barrière pour une telle partie
plan-untrusted-remedy = trouvez pourquoi (relight edge check), puis : relight drill --edges NOM
plan-undrilled = aucun exercice depuis 400 jours : { $edges }
plan-bodies = sites de { NUMBER($bodies) } organismes
plan-part = partie de chaque site : { $part }
parts-closed = { NUMBER($closed) } parties sur { NUMBER($all) } sont fermées; leurs sites ne sont pas éteints
parts-open = { NUMBER($open) } parties sur { NUMBER($all) } sont rouvertes
part-read-back = fermée selon la relecture au frontal : d'ici, personne ne voit ce que voit Internet
parts-are-closed = { NUMBER($parts) } { $parts ->
    [one] partie de site est fermée, ou en cours de fermeture ou de réouverture; aucun site n'est éteint par elle
   *[other] parties de sites sont fermées, ou en cours de fermeture ou de réouverture; aucun site n'est éteint par elles
 }
part-closed = fermée
part-closing = à fermer, sans preuve
part-not-closed = pas fermée : son site est exposé
part-opening = en cours de réouverture
part-open = ouverte
with-closed-parts = { $action }; fermé : { $parts }
needs-yes = personne n'est là pour confirmer
needs-yes-remedy = confirmez avec --yes, ou regardez avec --dry-run
are-you-sure = Exécuter ce plan? oui ou non
proven-dark = { NUMBER($proven) } { $proven ->
    [one] site prouvé éteint
   *[other] sites prouvés éteints
 } sur { NUMBER($sites) }
proven-lit = { NUMBER($proven) } { $proven ->
    [one] site prouvé rallumé
   *[other] sites prouvés rallumés
 } sur { NUMBER($sites) }
not-proven-yet = pas prouvé après 30 s
not-proven-remedy = l'ordre reste valable; relight edge check montre ce que disent les frontaux
verified = { $site } : correctif vérifié
not-verified = { $site } : le correctif n'est pas vérifié, le site reste comme il est
not-verified-incomplete = l'inventaire est incomplet; relight sites show montre ce qui n'a pas pu être lu
not-verified-same = rien n'a changé : les mêmes fichiers, ou l'incident ne connaît pas le site
not-verified-remedy = la cible est encore touchée, le site n'a pas répondu derrière la barrière, ou un site vital demande --signs none
entry-opened = incident ouvert
entry-dark-ordered = extinction ordonnée
entry-parts-closed = fermeture de parties ordonnée
entry-parts-opened = parties en cours de réouverture
entry-parts-seen = parties observées
entry-proved = prouvé
entry-edge-failed = extinction non prouvée
entry-analysis-started = analyse commencée
entry-evidence-attached = preuve jointe
entry-fix-started = correctif commencé
entry-deployed = nouvelle version en service
entry-verification-started = vérification commencée
entry-verification-found = ce qui fait obstacle à une vérification
entry-checks-run = essais d’un site demandés
entry-verified = vérification terminée
entry-relight-started = rallumage commencé
entry-relight-stopped = rallumage arrêté
entry-revised = avis révisé
entry-lapsed = preuve échue
entry-drifted = frontal modifié sans ordre
entry-closed = incident clos
entry-baseline-taken = réponse avant l'ordre
entry-mitigated = protection devant le site
entry-acceptance-signed = deux personnes en répondent
entry-exempted = exempté
entry-break-glass = sans les approbations habituelles
entry-plan-approved = plan approuvé
entry-plan-refused = plan refusé
entry-plan-undone = ordre annulé
entry-authority-granted = autorisation permanente donnée
entry-authority-used = sous autorisation permanente
entry-barred = seconde barrière d'un frontal
entry-canary-tried = canari d'un frontal
entry-led-past = une graphie a contourné une barrière fermée
entry-matcher-runs = autre version de la comparaison
entry-clock-set-back = horloge reculée : ce qui était échu le reste
entry-restored = registre plus ancien que ses frontaux : rien ne se rouvre sur ce qui était connu avant
entry-advisories-set = ce qui compte des avis, réglé par la ligne de commande
entry-drilled = exercice
entry-drill-begun = exercice commencé
entry-drill-ended = exercice terminé
entry-drill-undone = ce qu’un exercice a laissé éteint est rallumé
entry-refused = refusé

### Frontaux.

edge-added = frontal { $name } enregistré
edge-removed = le frontal { $name } a quitté le registre
edge-unknown = le registre n'a pas de frontal { $name }
edge-unknown-remedy = relight edge list
edge-stays = le frontal { $name } reste au registre : { $why }
edge-stays-sites = { NUMBER($count) } { $count ->
    [one] site est derrière lui
   *[other] sites sont derrière lui
 }
edge-stays-sites-remedy = donnez d'abord un autre frontal à ces sites (relight sites import)
edge-stays-other = { $name } s'appuie sur lui
edge-stays-other-remedy = enregistrez d'abord celui-là de nouveau sans lui, ou retirez-le
edge-stays-dark = sa barrière garde { NUMBER($count) } { $count ->
    [one] clé fermée
   *[other] clés fermées
 }, dont { $first }
edge-stays-dark-remedy = relight edge check dit quel incident la garde, ou que c'est personne; plus rien ne l'ouvrirait
edge-failed = le frontal ne peut pas être utilisé ainsi
edge-failed-remedy = vérifiez le dossier de la barrière, les adresses et les réglages (--set)
# edge
edge-elsewhere = frontal { $edge } : un agent l’écrit sur sa propre machine; d’ici, on n’en sait rien
edge-unknown-here = un agent écrit ce frontal sur sa propre machine; d’ici, on n’en sait rien
edge-elsewhere-remedy = démarrez relight serve avec --agent-listen : ce serveur interroge son agent, et sa page /edges dit où en est le frontal
edge-not-asked = interrogé par le serveur seul
edge-agent-kind-remedy = seuls les frontaux de genre agent sont écrits par un agent; relight agent list les montre
# agent
edge-agent-unknown = aucun agent admis ne s’appelle « { $agent } », ou plusieurs s’appellent ainsi : personne n’écrit ce frontal
edge-agent-unknown-remedy = relight agent list montre numéros et machines; un numéro ne nomme qu’un seul agent
# edge
edge-agent-file = sur la machine de l’agent, écrivez dans agent.toml : [edges.{ $edge }] avec kind, gate et listen, et [edges.{ $edge }.set] avec ses réglages (documentation : agents)
edges-known = { NUMBER($count) } { $count ->
    [one] frontal
   *[other] frontaux
 }
edge-ok = conforme
edge-no-answer = pas de réponse
edge-differs = { NUMBER($count) } { $count ->
    [one] site diffère
   *[other] sites diffèrent
 }, dont { $first }
edge-several = plusieurs frontaux sont de ce genre
edge-several-remedy = nommez-en un avec --name
edge-none = aucun frontal { $kind } de ce nom dans le registre
edge-none-remedy = relight edge add { $kind } --name NOM --gate DOSSIER --listen ADRESSE
edge-no-verify = le frontal n'a pas de voie de vérification
edge-no-verify-remedy = ajoutez-le de nouveau avec --verify PRISE
control-untried = rien ne peut être dit de la mesure : derrière la barrière, même une requête anodine est arrêtée
control-untried-remedy = voyez ce que le site lui-même répond, puis essayez de nouveau la mesure
site-not-back = le site reste sur la page publique : il est hors ligne, en tout ou en partie, ou en voie de l'être ou de revenir
site-not-back-remedy = retirez-le une fois vu de nouveau en ligne; d'ici là, la page dirait que tous les services sont revenus
edge-holding-written = hold.html et hold.json écrits dans { $folder }
edge-holding-sites = { NUMBER($sites) } { $sites ->
    [one] site a sa propre page, qui dit comment le joindre autrement
   *[other] sites ont leur propre page, qui dit comment les joindre autrement
 }
edge-holding-no-english = --channel-en dit quelque chose en anglais, et la page est en français seulement
edge-holding-no-english-remedy = retirez-le, ou ajoutez --languages fr,en
edge-holding-other-languages = la page des sites éteints dit ce que quelqu'un a écrit, et reste telle quelle, dans d'autres langues que celles de --languages; redonnez ses mots avec : { $command }
edge-holding-outdated = { NUMBER($sites) } { $sites ->
    [one] site éteint ne dirait pas comment le joindre autrement, comme le registre le dit; redonnez les mots pour tous avec : { $command }
   *[other] sites éteints ne diraient pas comment les joindre autrement, comme le registre le dit; redonnez les mots pour tous avec : { $command }
 }
edge-running = le frontal { $name } répond à { $addresses } pour { NUMBER($count) } { $count ->
    [one] site
   *[other] sites
  }
edge-run-remedy = voir ce qui occupe le port, et qu'aucun nom d'hôte ne vaut pour deux sites ni qu'aucun site ne ramène au frontal
edge-no-route = rien ne dit où le site { $site } écoute derrière le frontal
edge-no-route-remedy = donnez une adresse pour tous avec --upstream, ou une ligne au site dans le fichier de --routes : SITE HÔTE:PORT
edge-route-of-nobody = le fichier des routes nomme { $site }, qui n'est pas un site de ce frontal
edge-route-of-nobody-remedy = relight sites list edge:NOM montre ceux du frontal; corrigez ou ôtez la ligne
edge-route-twice = { $place } : le site { $site } a déjà une ligne
edge-kind-experimental = { $kind } (expérimental)
edge-config-pages = faites d'abord les pages : relight edge holding hold, puis dans chaque espace de noms : kubectl create configmap relight-hold-pages --from-file=hold; là où des sites ont leur propre page, aussi : kubectl create configmap relight-hold-of --from-file=hold/of (1 Mio au plus; supprimez les deux avant de les refaire)
edge-tried-again = ne s'ouvre pas; un nouvel essai suit, et d'ici là ses sites comptent comme exposés
edge-without-barrier = n'a pas de seconde barrière : { $why }
edge-barrier-refused = { $barrier } ne peut pas être la seconde barrière de { $edge } : { $why }
edge-barrier-remedy = enregistrez un frontal qui n'a pas de sites et qu'aucun autre ne nomme, puis nommez-le par --set barrier=NOM
edge-grace-refused = { $value } n'est pas un délai pour les connexions déjà ouvertes
edge-grace-remedy = donnez un nombre de secondes, de 0 à { $most }, ou hard, qui coupe aussi les téléchargements : --set grace=10
edge-group-refused = { $name } ne peut être enregistré ainsi, à cause de { $other } : { $why }
edge-group-remedy = enregistrez chaque serveur sans sites, puis : relight edge add group --name NOM --member FRONTAL FRONTAL
group-few = un groupe a deux frontaux ou plus
group-twice = le frontal est nommé deux fois
group-missing = aucun frontal du registre ne porte ce nom
group-nested = un groupe ne fait pas partie d'un groupe
group-sites = le frontal a des sites à lui : ils doivent porter le nom du groupe
group-shared = le frontal fait partie d'un autre groupe
group-barred = une seconde barrière est donnée au groupe, non à un frontal du groupe, et ne fait partie d'aucun groupe
barrier-missing = aucun frontal du registre ne porte le nom donné
barrier-itself = un frontal n'est pas sa propre seconde barrière
barrier-nested = le frontal nommé a lui-même une seconde barrière
barrier-sites = le frontal nommé a des sites
barrier-shared = le frontal nommé est déjà la seconde barrière d'un autre
barrier-in-use = un frontal qui est lui-même une seconde barrière n'en a pas
edge-cannot-prove = ne peut prouver éteint, faute de { $missing } : { NUMBER($sites) } { $sites ->
    [one] site compte comme exposé
   *[other] sites comptent comme exposés
 }, même sous la page d'attente
edge-cannot-prove-remedy = relight edge check dit quoi faire
lint-tunnels-uncounted = personne ne sait si une connexion reste ouverte derrière une barrière fermée : aucun site n'y est prouvé éteint
lint-tunnels-uncounted-remedy = si le frontal n'en laisse passer aucune en WebSocket : --set upgrades=refused; sinon, nommez les origines : --set origins=FICHIER (lignes SITE ADRESSE:PORT)
lint-member-silent = un frontal du groupe ne répond pas : aucun site n'est prouvé éteint ni rallumé
lint-member-silent-remedy = relight edge check les montre un à un
lint-no-master = personne ne dit combien de processus d'avant un rechargement servent encore : aucun site n'y est prouvé éteint
lint-no-master-remedy = --set master=SOCKET (haproxy -W -S SOCKET)
lint-gate-not-readable = les processus du frontal ne peuvent pas lire la barrière
lint-gate-strange-entry = entrée étrangère dans la barrière
lint-foreign-dark = éteint par une entrée qui n'est pas de nous
lint-dark-unasked = éteint sans ordre dans ce journal; il le reste jusqu’à ce qu’un ordre d’ici le reprenne
lint-gate-not-writable = la barrière ne peut pas être écrite
lint-gate-writable-by-others = d'autres peuvent écrire la barrière
lint-epoch-unreadable = l'époque ne se lit pas
lint-socket-not-admin = la prise n'est pas de niveau admin
lint-map-unknown = HAProxy ne connaît pas cette table
lint-bufsize-too-small = tune.bufsize est trop petit
lint-map-file-unreadable = le fichier de la table ne se lit pas
lint-api-unreadable = l'interface du frontal ne répond pas comme prévu
lint-caddy-admin-not-read = la configuration active de Caddy n'est pas lue : donnez son socket dans `admin`
lint-canary-failed = le canari de ce frontal ne s'éteint plus ou ne revient plus comme demandé : relight edge test en dit plus
lint-capability-missing = ce frontal ne le déclare pas : aucun site n'y est prouvé éteint
lint-certificate-wrong = le certificat ne vaut pas pour ce site : en TLS, rien n'y est prouvé éteint
lint-experimental = ce genre de frontal n'a été essayé que sur des imitations : faites un exercice avant de vous y fier
lint-file-not-ours = le fichier des routeurs n'a pas été écrit par nous
lint-gate-not-in-config = la configuration active ne contient aucune de nos barrières
lint-hosts-unreadable = la liste des hôtes est inutilisable
lint-map-older-than-before = la table est plus ancienne qu'une précédente : des processus peuvent garder les anciens états
lint-observe-fails = le programme `observe` échoue
lint-observe-partial = éteint quand on le demande, passé sous silence sinon : un ordre y rouvrirait ce que quelqu'un d'autre a fermé; que `observe` réponde tout ce qui est éteint
lint-route-managed-elsewhere = un autre outil gère cette route et peut la rétablir
lint-route-unreadable = la route ne peut pas être lue
lint-routes-unreadable = la liste des routes est inutilisable

### Veille. Sous le niveau S5, seul reconnaissance-note peut parler de compromission.

no-such-organisation = il n'y a pas d'organisme « { $name } » dans le registre
no-such-organisation-remedy = organismes connus : { $names }
decode-summary = { NUMBER($lines) } { $lines ->
    [one] ligne
   *[other] lignes
}, { NUMBER($effective) } { $effective ->
    [one] efficace
   *[other] efficaces
}, { NUMBER($attempts) } { $attempts ->
    [one] tentative
   *[other] tentatives
}
decode-line = ligne { NUMBER($line) } : { $verdict }
decode-callback = aurait interrogé { $place }
decode-benign = inoffensive
decode-effective-remote = aurait fonctionné, interroge une autre machine
decode-effective-local = demande un nom à l’intérieur de l’application
decode-attempt-truncated = tentative qui ne pouvait pas fonctionner : accolade fermante manquante
decode-attempt-escaped = tentative qui ne pouvait pas fonctionner : neutralisée par un dollar
decode-attempt-spaced = tentative qui ne pouvait pas fonctionner : espace dans le préfixe
decode-attempt-base64 = tentative qui ne pouvait pas fonctionner : Log4j 2.14.1 ne décode pas le base64
decode-attempt-over-limit = comptée comme tentative : trop longue ou trop imbriquée pour être suivie jusqu’au bout
simulated = { $folder } : { NUMBER($lines) } lignes dans { NUMBER($logs) } { $logs ->
    [one] journal
   *[other] journaux
}, la vérité dans truth.json
simulate-not-empty = { $folder } n’est pas vide : nommer un dossier vide ou nouveau
listen-unencrypted = { $address } est joignable depuis d’autres machines et ne parle pas TLS
listen-unencrypted-remedy = placez devant un mandataire qui parle TLS (journaux : --syslog-tls), ou ajoutez --unencrypted si qui se trouve en chemin peut lire et changer ce qui est dit
forward-no-place = le journal ne peut pas être envoyé à { $place }
forward-no-place-remedy = nommez un hôte dont le certificat vaut pour ce nom (HÔTE ou HÔTE:PORT, 6514 sans port), et son autorité par --journal-ca
forward-failed = le journal n’est pas reçu par { $place }
forward-failed-remedy = rien n’est perdu : ce qui y manque est envoyé dès qu’il est reçu de nouveau
forward-again = Le journal est reçu de nouveau par { $place }, avec ce qui manquait
rows-left-out = pas dans ces lignes : { $lists }; -o json les donne
receive-beyond-loopback = { $address } est joignable depuis d’autres machines
receive-beyond-loopback-remedy = ajoutez --beyond-loopback si c’est voulu, et ne laissez entrer que vos propres émetteurs
receive-tls-needs = --syslog-tls, --tls-certificate et --tls-key vont ensemble
receive-tls-needs-remedy = donnez les trois, en options ou dans la configuration, ou aucune
receive-failed = la réception des journaux n’a pas pu démarrer
receive-failed-remedy = choisissez une autre adresse ou arrêtez ce qui l’utilise; les ports sous 1024 exigent un privilège
receive-listening = À l’écoute : { $kind } sur { $address }
receive-no-org = personne n’a dit de qui sont les journaux à recevoir
receive-no-org-remedy = ajoutez --org NOM
receive-spool = la file sur disque n’a pas pu être écrite ou vidée; les émetteurs TCP attendent, les datagrammes sont perdus et comptés
receive-spool-remedy = libérez de la place sur ce disque, ou voyez à qui est le dossier
received = { NUMBER($lines) } { $lines ->
    [one] ligne reçue
   *[other] lignes reçues
}, { NUMBER($lost) } { $lost ->
    [one] perdue
   *[other] perdues
}
received-dropped = lignes de datagrammes pour lesquelles il n’y avait pas de place, et lignes qui n’ont pas pu être écrites
received-dropped-by-system = datagrammes perdus par le système
received-dropped-untold = nombre de datagrammes perdus par le système inconnu : il ne montre pas /proc/self/net/udp
received-cut = lignes plus longues que la limite, coupées
received-torn = lignes finies avec leur connexion
received-slow = connexions fermées parce que trop lentes
received-crowded = connexions fermées parce que trop nombreuses
received-failed = connexions en échec
received-flows-dropped = groupes de flux perdus en attendant leur modèle
received-flows-lost = flux jamais arrivés, d’après leur numérotation
received-flows-refused = datagrammes de flux illisibles
door-presence = est-ce là?
door-version = quelle version?
door-exposure = est-ce ouvert?
door-exploit = une faille est utilisée
catalogue-entries = { NUMBER($count) } { $count ->
    [one] porte
   *[other] portes
}
catalogue-checked = { NUMBER($count) } { $count ->
    [one] entrée utilisable
   *[other] entrées utilisables
}, { NUMBER($faults) } { $faults ->
    [one] défaut
   *[other] défauts
}
catalogue-imported = { NUMBER($templates) } { $templates ->
    [one] modèle
   *[other] modèles
}, { NUMBER($entries) } { $entries ->
    [one] entrée
   *[other] entrées
} dans { $file }
catalogue-too-many = { $folder } contient plus de requêtes qu’un fichier d’entrées n’en peut tenir
catalogue-cannot-write = { $file } ne peut pas être écrit
catalogue-large = le fichier est trop grand
catalogue-toml = le fichier n’est pas du TOML de la forme des entrées
catalogue-product = un produit est le début d’une adresse de paquet (pkg:) ou d’un nom CPE (cpe:2.3:)
catalogue-id = un nom d’entrée est fait de minuscules, de chiffres et de traits d’union
catalogue-kind = une sorte est presence, version, exposure ou exploit
catalogue-cve = une faille s’écrit CVE-2021-44228
catalogue-reference = une référence commence par https://
catalogue-hit = l’entrée ne trouve pas son exemple
catalogue-miss = l’entrée trouve son presque-exemple
catalogue-places = une entrée ne regarde le chemin qu’à un endroit
catalogue-case = ce qui est cherché s’écrit en minuscules
catalogue-short = ce qui est cherché est trop court pour être précis
catalogue-no-match = une entrée cherche un chemin ou une requête
catalogue-left-out = l’entrée ne compte pas : son nom est pris (les nombres se valent), ou il y a trop d’entrées
catalogue-late = vos propres entrées ne comptent pas : des lignes furent lues avant elles
nuclei-large = trop grand pour un modèle
nuclei-no-template = pas un modèle
nuclei-no-request = ne fait aucune requête qui dise quelque chose d’un produit
nuclei-unreadable = illisible
block-list = { NUMBER($blocked) } { $blocked ->
    [one] adresse dans la liste
   *[other] adresses dans la liste
}, { NUMBER($left) } { $left ->
    [one] écartée
   *[other] écartées
}
block-reconnaissance = ont seulement regardé
block-never = jamais bloquées : réservées ou nommées dans la liste
block-crowded = beaucoup de gens se servent de ces adresses
block-expired = leur temps est passé
posture-complete = les journaux arrivent, avec tous les champs nécessaires
posture-partial = les journaux arrivent sans
posture-quiet = trop peu de visiteurs pour le dire, dernière ligne du
posture-silent = aucun journal depuis
posture-never = jamais de journaux
posture-feed = { NUMBER($events) } { $events ->
    [one] événement
   *[other] événements
} sur { NUMBER($days) } de 90 jours, le dernier
posture-unread = { NUMBER($unread) } des { NUMBER($lines) } lignes des 28 derniers jours ne sont d’aucun format connu : personne ne sait ce qu’elles disent
posture-changed = depuis { $day } du format { $to }, avant de { $from }
posture-lost = depuis { $day } plus du format { $from }, et la plupart des lignes d’aucun format connu
posture-ahead = son horloge avance sur la nôtre, de { NUMBER($minutes) } { $minutes ->
    [one] minute
   *[other] minutes
} au plus
posture-behind = lues de { NUMBER($least) } à { NUMBER($most) } heures après avoir été écrites
posture-gaps = { NUMBER($days) } { $days ->
    [one] jour
   *[other] jours
} des 90 derniers sans aucune ligne entre d’autres, la dernière fois du { $from } au { $until }
posture-outbound = ce qu’il envoie a été regardé jusqu’au { $day }
posture-no-outbound = personne n’a regardé ce qu’il envoie (outbound.csv) : les signes de réussite restent inconnus
posture-kept = ce qui est tiré des journaux est gardé { NUMBER($days) } { $days ->
    [one] jour
   *[other] jours
} (relight watch keep)
posture-counts = { NUMBER($complete) } { $complete ->
    [one] complet
   *[other] complets
}, { NUMBER($partial) } { $partial ->
    [one] partiel
   *[other] partiels
}, { NUMBER($quiet) } { $quiet ->
    [one] incertain
   *[other] incertains
}, { NUMBER($silent) } { $silent ->
    [one] muet
   *[other] muets
}, { NUMBER($never) } jamais
gap-logs-never = il n’envoie aucun journal : personne ne peut dire qui l’essaie
gap-logs-quiet = rien depuis quelque temps, et il a trop peu de visiteurs pour dire si ses journaux se sont arrêtés
gap-logs-silent = ses journaux se sont arrêtés
gap-logs-partial = il manque des champs dans ses journaux
hunt-full = { NUMBER($windows) } { $windows ->
    [one] fenêtre de cette période était pleine : des contacts n’ont pas été conservés, et personne ne peut dire lesquels
   *[other] fenêtres de cette période étaient pleines : des contacts n’ont pas été conservés, et personne ne peut dire lesquels
}
hunt-unread = { NUMBER($lines) } { $lines ->
    [one] ligne de cette période n’a pas été lue : ce qu’on cherche y est peut-être
   *[other] lignes de cette période n’ont pas été lues : ce qu’on cherche y est peut-être
}
hunt-answered = répondu à { $place } à des visiteurs ordinaires, entre { $first } et { $last }; qui demandait n’est pas conservé
hunt-answered-unknown = { NUMBER($sites) } { $sites ->
    [one] site a
   *[other] sites ont
 } tant de chemins que personne ne peut dire si celui-ci a reçu une réponse
hunt-nothing = « { $what } » n’est ni une faille ou un produit dont une porte est connue, ni un chemin, ni une adresse, ni un hôte
hunt-nothing-remedy = relight watch catalogue list montre les portes; tout chemin peut être cherché
hunt-found = { NUMBER($count) } { $count ->
    [one] contact
   *[other] contacts
}
hunt-more = … et { NUMBER($count) } de plus; --json en donne jusqu’à { NUMBER($most) } en tout
hunt-covered = journaux du { $from } au { $to }, { $gaps ->
    [0] sans jour manquant
    [one] avec { NUMBER($gaps) } trou
   *[other] avec { NUMBER($gaps) } trous
}
hunt-fewer = { NUMBER($sites) } de ses sites { $sites ->
    [one] en a envoyé moins, ou pas : là, inconnu
   *[other] en ont envoyé moins, ou pas : là, inconnu
}
hunt-not-covered = aucun journal de cette période : inconnu
erased = { NUMBER($count) } { $count ->
    [one] contact effacé
   *[other] contacts effacés
}
erase-left = des pages libres de ce registre contiennent peut-être encore ce qui a été effacé : une version précédente l’a écrit, et il doit être récrit, une fois
erase-left-controlled = un serveur en marche le tient, et ses ordres attendraient : arrêtez ce serveur quand aucun incident n’est ouvert, relancez cette commande, puis redémarrez le serveur
erase-left-incident = un incident est ouvert, et rien de ce qui éteint ne doit attendre : relancez cette commande quand il sera clos
erase-left-no-room = il faut { NUMBER($mebibytes) } Mio libres sur son disque : faites de la place, puis relancez cette commande
watch-kept = les journaux sont gardés { NUMBER($days) } { $days ->
    [one] jour
   *[other] jours
}
share-no-key = { $place } ne contient aucune clé du trimestre { $quarter }
share-no-key-remedy = ajoutez une ligne « { $quarter } » suivie de 64 chiffres hexadécimaux que tous les membres ont, et personne d’autre
share-bad = { $place } n’a pas été écrit par relight watch share, ou est abîmé
window-of = une fenêtre de { $organisation }
share-other-quarter = { $place } est d’un autre trimestre que { $quarter } : chaque membre partage de nouveau
shared = { NUMBER($contacts) } { $contacts ->
    [one] contact
   *[other] contacts
} dans { $file }, sous la clé de { $quarter }
shared-partial = il y a plus de contacts qu’un fichier n’en contient : il n’en contient qu’une partie
pool-reach = { NUMBER($organisations) } { $organisations ->
    [one] organisme
   *[other] organismes
}, { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
}, { NUMBER($sources) } { $sources ->
    [one] source
   *[other] sources
}, dont { NUMBER($own) } vues ici
pool-reach-few = moins de { NUMBER($least) } organismes, { NUMBER($sources) } { $sources ->
    [one] source
   *[other] sources
}
map-legend = contacts distincts (une source, un site, une porte) par secteur et par semaine, sous son lundi; « - » où aucun journal ne fut entendu
map-few = les nombres inférieurs à { NUMBER($least) } sont retenus
map-no-sector = (sans secteur)
probed-affected = essayés, et vulnérables ce jour-là
probed-unknown = essayés, et personne ne peut dire s’ils étaient vulnérables
probed-clear = essayés, et non vulnérables
product-affected = essayés, et ils utilisaient ce jour-là ce qui était cherché
product-unknown = essayés, et personne ne peut dire s’ils utilisaient ce qui était cherché
product-clear = essayés, et ils n’utilisaient pas ce qui était cherché
probed-who = { $campaign } a essayé : { NUMBER($sources) } { $sources ->
    [one] adresse
   *[other] adresses
 }, { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
not-probed = non essayés
not-probed-unheard = dont { NUMBER($sites) } { $sites ->
    [one] n’a envoyé
   *[other] n’ont envoyé
} aucun journal certains de ces jours; pour ces jours, personne ne peut rien dire
no-logs = sans journaux de cette période
probed-no-door = aucune porte connue n’est liée à « { $what } »
probed-no-door-remedy = relight watch catalogue list montre les portes; relight watch hunt cherche tout chemin
log-summary = { NUMBER($lines) } { $lines ->
    [one] ligne
   *[other] lignes
 }, { NUMBER($events) } { $events ->
    [one] événement
   *[other] événements
 }, { NUMBER($refused) } { $refused ->
    [one] refusée
   *[other] refusées
 }
log-known = déjà lu, rien n'a changé
log-overflow = { NUMBER($count) } { $count ->
    [one] contact n’a été que compté
   *[other] contacts n’ont été que comptés
 } : d’une visite, les plus forts sont gardés
log-lines = { NUMBER($count) } { $count ->
    [one] ligne
   *[other] lignes
 } : { $what }
log-refused = pas une ligne de journal lisible
log-refused-remedy = les autres lignes ont été lues
log-cut = plus longue que la limite, coupée
log-cut-remedy = le début a été lu
log-format-unknown = d’aucun format connu
log-format-other = d’un autre format
log-field-count = nombre de champs inattendu
log-columns-unknown = aucune ligne d’en-tête n’a nommé ses colonnes
log-address-missing = sans adresse de qui a demandé
log-port-invalid = port illisible
log-json-expected = pas un objet JSON
log-json-truncated = JSON qui s’arrête trop tôt
log-json-invalid = JSON illisible
log-json-deep = JSON trop imbriqué
log-json-trailing = quelque chose suit l’objet JSON
log-message-other = un message sur autre chose
log-no-data = dit que rien n’a été enregistré
log-pair-invalid = une valeur sans nom
log-header-line = nomme des colonnes
log-odd-order = plus anciennes que la précédente
log-odd-late = en retard de plus de 48 heures
log-odd-skewed = venues du futur, ramenées à l’heure de réception
log-odd-duplicate = lues deux fois
log-odd-decode-limit = encore encodées après six passes et pas examinées plus loin
log-unrecognised = plus d’une ligne sur dix n’est d’aucun format connu : { NUMBER($unread) } sur { NUMBER($lines) }
log-unrecognised-remedy = `relight watch parse FICHIER` montre chacune avec sa raison; `--format NOM` nomme le format
log-format-changed = ses lignes sont maintenant du format { $to }, et plus de { $from }
log-format-lost = ses lignes ne sont plus du format { $from }, et la plupart d’aucun format connu
log-format-changed-remedy = regardez ce que le produit écrit depuis sa dernière mise à jour; ce qui n’est pas lu n’est pas surveillé
no-such-log-format = il n’y a pas de format de journal « { $name } »
no-such-log-format-remedy = auto, ou l’un de : { $names }
no-network = « { $text } » n’est ni une adresse ni un réseau
no-network-remedy = par exemple 203.0.113.0/24
no-zone = « { $text } » n’est pas un fuseau connu ici
no-zone-remedy = un décalage comme -05:00, ou un nom des tables de fuseaux du système comme America/Montreal
export-alone = un fichier { $format } tient une seule campagne
export-alone-remedy = nommez-en une (relight watch campaigns), ou prenez-les toutes en { $formats }
log-journal-binary = message d’un journal qui n’est pas du texte
log-line-short = trop courte pour une ligne de journal
log-address-invalid = ne commence pas par une adresse
log-status-invalid = code de réponse illisible
log-bytes-invalid = taille illisible
log-time-missing = sans heure
log-time-invalid = heure illisible
log-quote-missing = guillemet manquant
log-quote-open = guillemet non refermé
log-quote-unexpected = guillemet inattendu
campaigns-found = { NUMBER($count) } { $count ->
    [one] campagne
   *[other] campagnes
 }
campaign-reach = { NUMBER($days) } { $days ->
    [one] jour
   *[other] jours
 }, { NUMBER($organisations) } { $organisations ->
    [one] organisme
   *[other] organismes
 }, { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }, { NUMBER($sources) } { $sources ->
    [one] adresse
   *[other] adresses
 }
confidence = confiance { $value }
actors-no-sector = aucun organisme n'est du secteur { $sector }
actors-no-sector-remedy = les secteurs de ce registre : { $known }
no-such-campaign = il n'y a pas de campagne { $id }
no-such-campaign-remedy = relight watch campaigns les montre
campaign-part = { NUMBER($contacts) } { $contacts ->
    [one] contact
   *[other] contacts
 }, { $points } points
campaign-decision = total { $likelihood } points, seuil { $threshold }
campaign-change = sans « { $class } » : { $confidence }
campaign-who = Depuis { NUMBER($days) } { $days ->
    [one] jour
   *[other] jours
 }, { NUMBER($sources) } { $sources ->
    [one] adresse a
   *[other] adresses qui se comportent de la même façon ont
 } essayé { NUMBER($doors) } { $doors ->
    [one] porte (une page où des intrus cherchent une entrée)
   *[other] portes (des pages où des intrus cherchent une entrée)
 } de { NUMBER($organisations) } { $organisations ->
    [one] organisme.
   *[other] organismes.
 }
campaign-strangers = Depuis { NUMBER($days) } { $days ->
    [one] jour
   *[other] jours
 }, { NUMBER($sources) } { $sources ->
    [one] adresse a
   *[other] adresses ont
 } essayé { NUMBER($doors) } { $doors ->
    [one] porte (une page où des intrus cherchent une entrée)
   *[other] portes (des pages où des intrus cherchent une entrée)
 } de { NUMBER($organisations) } { $organisations ->
    [one] organisme.
   *[other] organismes.
 }
campaign-gathered = Ce sont des adresses isolées, chacune avec quelques essais et un programme comme celui de tout le monde. Rien ne les relie entre elles : c’est ainsi que se présentent les robots qui essaient tout Internet. Elles tiennent ici sur une ligne parce qu’elles sont nombreuses; --json les donne toutes.
campaign-emerging = Une porte nouvelle : { $door }. Des inconnus ont commencé à l’essayer chez plusieurs organismes en trois jours, et personne ne le faisait avant. Aucune faille connue ne lui correspond : regardez ce qui répond là.
campaign-spike = Une vague à { $door } : bien plus d’adresses que d’habitude à cette heure de la semaine.
campaign-sector = { $door } a été essayée dans un secteur plus souvent que le hasard ne l’explique, par des adresses qui n’ont rien d’autre en commun.
campaign-traversal = Des requêtes ont tenté de sortir du dossier du serveur web, vers des fichiers du système. Rien ne montre si cela aurait réussi.
campaign-payloads = charges d’attaque
campaign-looked-for = Ce qui était cherché : { $doors }.
campaign-rate = Environ { NUMBER($tries) } { $tries ->
    [one] essai
   *[other] essais
 } par jour.
campaign-rate-low = Moins d'un essai par jour : aucune alarme qui compte en minutes ne le voit.
campaign-alike = Elles ont en commun : { $what }.
campaign-tie-agent = le nom de programme qu’elles donnent ({ $name })
campaign-tie-callback = l’hôte que leurs charges auraient fait interroger par un produit ({ $host })
campaign-tie-client = le programme qu’elles emploient ({ $client })
campaign-tie-tls = la façon dont leur programme ouvre des connexions chiffrées ({ $client })
campaign-aim = Secteurs visés : { $sectors }.
campaign-aimless = Aucun secteur n’est visé plus qu’un autre.
campaign-attempts = { NUMBER($count) } { $count ->
    [one] requête piégée est arrivée.
   *[other] requêtes piégées sont arrivées.
 } Un logiciel qui a la faille { $flaws } serait allé chercher un programme chez { $hosts } et l’aurait exécuté.
campaign-affected = { NUMBER($count) } { $count ->
    [one] site était vulnérable
   *[other] sites étaient vulnérables
 } à cette heure : { $sites }. Chercher des signes : connexions sortantes, fichiers et comptes nouveaux.
campaign-unknown = De { NUMBER($count) } { $count ->
    [one] site, personne ne sait s’il était vulnérable
   *[other] sites, personne ne sait s’ils étaient vulnérables
 }, faute d’inventaire de cette heure : { $sites }.
campaign-clear = { NUMBER($count) } { $count ->
    [one] site n'était certainement pas vulnérable
   *[other] sites n'étaient certainement pas vulnérables
 } à cette heure.
campaign-signs = Signes de compromission : { $what }. Isoler, conserver les preuves, appeler votre équipe d'intervention.
campaign-to-do = À faire : corriger les failles connues, activer l’authentification multifacteur, augmenter la journalisation.
campaign-flaws = { NUMBER($count) } { $count ->
    [one] requête est arrivée, que seul fait
   *[other] requêtes sont arrivées, que seul fait
 } quelqu’un qui se sert de { $flaws } : sur un produit qui a cette faille, elle aurait fait ce que la faille permet.
campaign-matched = { NUMBER($tried) } de vos { NUMBER($running) } { $running ->
    [one] site qui utilise
   *[other] sites qui utilisent
 } { $product } { $tried ->
    [one] a été essayé.
   *[other] ont été essayés.
 }
campaign-matched-unknown = Pour { NUMBER($count) } { $count ->
    [one] autre site essayé, personne ne sait s’il l’utilise.
   *[other] autres sites essayés, personne ne sait s’ils l’utilisent.
 }
campaign-matched-aimed = C’est plus que le hasard n’explique : on cherche ceux qui l’utilisent.
campaign-silent = { NUMBER($count) } { $count ->
    [one] site du registre n’a envoyé aucun journal à ce moment : personne ne sait s’il a été essayé.
   *[other] sites du registre n’ont envoyé aucun journal à ce moment : personne ne sait s’ils ont été essayés.
 }
campaign-no-site = site non inscrit
campaign-and-more = { $named } et { NUMBER($more) } de plus
sign-connection = connexion vers
sign-name-query = requête de nom pour
sign-answer = réponse à
signs-line = ligne illisible
signs-line-remedy = moment,site,genre,hôte, avec un site du registre et le genre connection, name-query ou answer; les autres lignes valent
signs-refused = « aucun signe » ne peut se dire de { $site }
signs-refused-remedy = lire les journaux de ces jours avec relight watch ingest, écrire dans outbound.csv quels jours quelqu’un a regardé ce que le site envoyait (premier jour,dernier jour,site,qui), corriger les lignes illisibles de signs.csv, ou laisser --signs unknown
signs-were-seen = { NUMBER($count) } { $count ->
    [one] signe a été vu
   *[other] signes ont été vus
 } depuis qu’il avait la faille (signs.csv)
signs-gap-since = aucun inventaire ne dit depuis quand il avait { $flaw }
signs-gap-inbound = aucun journal du { $day } n’a été lu
signs-gap-outbound = personne n’a regardé ce qu’il envoyait le { $day }
signs-gap-unread = la ligne { NUMBER($line) } de signs.csv est illisible, et peut être un signe
outbound-line = ligne illisible
outbound-line-remedy = premier jour,dernier jour,site,qui, avec un site du registre; les autres lignes valent
not-judged = environ { NUMBER($percent) } % des adresses n'ont pas tenu en mémoire : personne ne les a examinées, et les autres l'ont été comme toujours
not-judged-remedy = effacer d'anciens journaux, ou en garder moins de jours : la limite est un nombre de contacts
known-line = ligne illisible
known-test-scope = un test ne nomme ni lieux ni deux personnes : il ne fait rien taire
known-two-names = ce qui a été convenu demande deux noms différents : qui a demandé et qui a accepté
known-place = un lieu qui n’est ni organisme ni site du registre
known-line-remedy = raison,nom,réseau[,premier jour,dernier jour[,lieux,qui a demandé,qui a accepté]], les lieux étant des organismes et des sites séparés par un point-virgule; un test demande tout; les autres lignes valent
campaign-spoofed = Elle se dit { $names }, depuis des adresses que votre propre liste n’attribue à personne de ce nom.
campaign-known = Connu et inoffensif selon votre propre liste : { $names }.
known-crawler = robot d'exploration
known-research = projet de recherche
known-monitor = surveillance
known-own-scanner = notre analyseur
known-partner = partenaire
known-test = test autorisé
contact-exploit = tentative qui aurait réussi sur le produit visé
contact-attempt = tentative dont rien ne montre qu’elle aurait réussi
contact-flaw = requête qui se sert d’une faille connue
contact-new-door = inconnus à une porte que personne n’essayait
contact-sector = essais dans un secteur, au-delà du hasard
contact-surge = bien plus d’adresses que d’habitude à cette heure
contact-traversal = sortie du dossier du serveur web
contact-in-use = porte d’usage quotidien
contact-group = portes nouvelles, essayées par des clients semblables
contact-probe = porte connue du catalogue
contact-refused-cold = refus à un inconnu
contact-not-found-cold = chemin absent demandé par un inconnu
contact-refused-warm = refus à un habitué
contact-not-found-warm = chemin absent demandé par un habitué
contact-name-claimed = nom d’un robot de votre liste, pris depuis une autre adresse
contact-stray-host = un hôte qui est une adresse, ou un nom d’aucun site
contact-stray-host-known = un nom d’aucun site inscrit, qui répond à d’autres
contact-dropped-cold = connexion d’un inconnu, rejetée
contact-dropped-warm = connexion rejetée à un port qui répond à d’autres

### Journal d'audit.

journal-intact = { NUMBER($entries) } { $entries ->
    [one] entrée
   *[other] entrées
 }, intact, tête { $head }
journal-broken = l'entrée { NUMBER($seq) } du journal n'est pas comme elle a été écrite : { $why }
journal-broken-remedy = les entrées précédentes sont intactes : gardez une copie du dossier, restaurez la sauvegarde la plus récente que relight audit verify trouve intacte, et redémarrez; ce qui y est éteint sans ordre le reste et vous est dit (relight edge check)
fault-sequence = une entrée a été retirée, ajoutée ou déplacée
fault-previous = elle ne suit pas la précédente
fault-hash = ses champs n'ont pas son empreinte
fault-unreadable = un champ ne se lit pas
fault-tail-missing = la fin manque
journal-approvals = Approbations de plans et acceptations : { NUMBER($signed) } signées par des clés d’accès, chacune pour son objet; { NUMBER($unsigned) } sans signature
fault-approval = ce qui accompagne l’approbation n’est pas une signature d’une clé de cette personne pour ce qui est approuvé
head-written = tête de { NUMBER($entries) } { $entries ->
    [one] entrée
   *[other] entrées
 } signée : { $file }
head-key = clé : { $key }
head-elsewhere = gardez-la sur une autre machine, avec la clé : relight audit verify --head FICHIER --key CLÉ
drill-unagreed = { $sites ->
    [one] { NUMBER($sites) } site marqué
   *[other] { NUMBER($sites) } sites marqués
} (vitaux : { NUMBER($vital) }) qu’un exercice fermerait : sur la parole d’une personne, il en ferme { NUMBER($max) } au plus, et aucun vital
drill-unagreed-remedy = nommez-les dans [drill] sites de policy.toml, que l’on signe et qu’une autre personne confirme; ou retirez des marques : relight sites set SITE drill_ok=no
drill-report-written = rapport signé : { $file }, clé { $key }
drill-report-good = exercice mené par { $by }, { $at }; signé avec la clé { $key }
report-unreadable = ce n'est pas le rapport signé d'un exercice
report-unreadable-remedy = donnez le fichier qu'a écrit `relight drill --report FICHIER`
report-signature = ce n'est pas ce qui a été signé
report-signature-remedy = ne vous y fiez pas : demandez le fichier tel qu'il a été écrit
report-other-key = une autre clé l'a signé
report-other-key-remedy = nommez la clé à laquelle vous vous fiez : --key CLÉ
head-inside = { $folder } est dans le dossier de données
head-inside-remedy = qui y change le journal pourrait emporter la tête avec lui : nommez un autre endroit
head-no-key = on ne sait pas quelle signature compte
head-no-key-remedy = nommez la clé que `relight audit head` a montrée : --key CLÉ
head-broken = le journal n'est pas celui de la tête signée à l'entrée { NUMBER($entry) } : { $why }
head-file-broken = le journal n'a pas été comparé avec { $file } : { $why }
head-file-broken-remedy = donnez un fichier écrit par relight audit head, et la clé qui l'a signé
heads-again = { $folder } : les têtes signées du journal sont écrites à nouveau
heads-agree = { NUMBER($count) } { $count ->
    [one] tête signée concorde
   *[other] têtes signées concordent
 }
fault-head-unreadable = le fichier n'est pas une tête
fault-head-signature = la signature est d'autre chose
fault-head-other-key = une autre clé l'a signée
fault-head-missing = le journal est plus court qu'il n'était
fault-head-differs = son entrée est une autre : le journal a été réécrit
journal-unreadable = le journal ne se lit pas
journal-unreadable-remedy = relight audit verify vérifie le journal
status-as-of = À l'entrée { NUMBER($entry) } du journal
status-pace = { $rate } sites par heure, dernier retour le { $last }; ceux que leur dernière preuve dit éteints ({ $dark }) rallumés vers { $zero } (entre { $soon } et { $late })
status-pace-stalled = Aucun site n'est revenu depuis le { $last }; le rythme était de { $rate } par heure. Éteints selon leur dernière preuve : { $dark }
status-pace-then = Au rythme de décembre 2021, { $rate } sites par heure, vers { $zero }
column-verdict = Réponse

serve-console = Console : { $address }
serve-public = Page publique : { $address }
serve-feeds = Les avis déposés dans { $path } sont lus aussitôt. Ctrl-C arrête le serveur; les frontaux restent comme ils sont.
serve-console-open = la console ne peut pas écouter sur { $address } : sans authentification, seule cette machine peut l’atteindre
serve-console-open-remedy = prendre une adresse comme 127.0.0.1:8420 et l’atteindre d’ailleurs par ssh -L
stage-folder = ce dossier de données est celui d’un exercice : tout y est montré comme un exercice, sans fils ni certificats
stage-folder-remedy = ce qui est réel demande un autre dossier de données : --data DOSSIER
stage-no-drill = aucun exercice ne peut commencer dans { $folder } : son journal contient des incidents, peut-être réels
stage-no-drill-remedy = importer des sites dans un autre dossier de données et s’y exercer : relight serve --drill --data DOSSIER
serve-cannot-listen = impossible d’écouter sur { $addresses }
serve-cannot-listen-remedy = voir ce qui occupe le port, ou donner d’autres adresses avec --listen et --public-listen
and-more-sites = … et { NUMBER($count) } { $count ->
    [one] autre site
   *[other] autres sites
 }
incident-list-empty = Aucun incident, et rien qui en demande un
incident-listed-open = { $id }  ouvert depuis { $opened }, { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
incident-listed-closed = { $id }  clos, ouvert { $opened }, { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
incident-proposed = { $advisory }  proposé : { NUMBER($affected) } { $affected ->
    [one] site touché
   *[other] sites touchés
 }, { NUMBER($possible) } peut-être
match-list-differs = l’appariement complet de la nuit trouve d’autres sites que la liste tenue à jour; c’est lui qui répond désormais
match-list-differs-remedy = une erreur de relight : merci de la signaler avec match-differences.jsonl du dossier de données

### Bases d'empreintes.

fingerprints-learnt = { NUMBER($classes) } classes de { NUMBER($releases) } { $releases ->
    [one] version apprises
   *[other] versions apprises
 } dans { $database }
fingerprints-unnamed = rien ne nomme cette archive avec certitude; elle n'est pas apprise
fingerprints-unread = pas lu en entier, donc pas appris : { $why }
fingerprints-nothing = aucune archive avec des classes et un nom n'a été trouvée
fingerprints-nothing-remedy = indiquez des jars, ou un dossier à la façon d'un dépôt Maven
fingerprints-count = { NUMBER($artifacts) } { $artifacts ->
    [one] bibliothèque
   *[other] bibliothèques
 }, { NUMBER($releases) } { $releases ->
    [one] version
   *[other] versions
 }
fingerprints-kept = { $database } : empreintes de { NUMBER($artifacts) } { $artifacts ->
    [one] bibliothèque
   *[other] bibliothèques
 }, pour les analyses à venir
fingerprints-same = { $database } : mêmes empreintes qu’avant
fingerprints-older = { $database } : empreintes plus anciennes que celles qui sont gardées; non prises
fingerprints-undated = { $database } : autres empreintes que celles qui sont gardées, et rien ne dit lesquelles sont plus récentes; non prises
fingerprints-undated-remedy = apprenez de nouveau la plus récente : relight fingerprints learn note quand
fingerprints-twice = deux bases de ce dossier s'appellent { $database }; la première est gardée
fingerprints-twice-remedy = donnez un nom différent à chacune
fingerprints-installed = { $database } : { NUMBER($artifacts) } { $artifacts ->
    [one] bibliothèque
   *[other] bibliothèques
 }, { NUMBER($releases) } { $releases ->
    [one] version
   *[other] versions
 }, faite le { $built }, gardée depuis { $kept } : { $path }
fingerprints-installed-damaged = endommagée : aucune analyse ne se fait tant qu’elle est gardée
fingerprints-kept-unusable-remedy = reprenez-la (relight advisories update --offline DOSSIER), ou passez-vous de ce qu’elle savait : relight fingerprints remove { $database }
fingerprints-removed = { $database } : retirée, avec { NUMBER($artifacts) } { $artifacts ->
    [one] bibliothèque
   *[other] bibliothèques
 }; { NUMBER($lost) } { $lost ->
    [one] version n’est connue
   *[other] versions ne sont connues
 } d’aucune autre base
fingerprints-would-remove = { $database } : serait retirée, avec { NUMBER($artifacts) } { $artifacts ->
    [one] bibliothèque
   *[other] bibliothèques
 }; { NUMBER($lost) } { $lost ->
    [one] version ne serait connue
   *[other] versions ne seraient connues
 } d’aucune autre base
fingerprints-removed-damaged = { $database } : retirée; elle était endommagée, et rien ne dit ce qu’elle savait
fingerprints-would-remove-damaged = { $database } : serait retirée; elle est endommagée, et rien ne dit ce qu’elle savait
fingerprints-removed-effect = les analyses ne nomment plus ces versions; les inventaires le font jusqu’à la prochaine analyse, et ce qui n’est touché que par un tel nom n’est alors plus trouvé touché
fingerprints-absent = aucune base d’empreintes de ce nom n’est gardée : { $database }
fingerprints-absent-remedy = voyez lesquelles le sont : relight fingerprints list
fingerprints-intact = { $database } : intacte, { $digest }
fingerprints-closed = ce compte n’a pas le droit de lire les bases d’empreintes qui sont ici, et ce qu’elles seules nomment n’est pas trouvé
fingerprints-closed-remedy = laissez ce compte lire le dossier, ou donnez-en un autre par --data
fingerprints-unusable = la base d'empreintes { $database } est inutilisable
fingerprints-unusable-remedy = apprenez-la de nouveau, ou reprenez-la là d'où elle vient

### Recherche par l'exemple.

alike-summary = { NUMBER($affected) } { $affected ->
    [one] site a
   *[other] sites ont
 } quelque chose de semblable sur { NUMBER($total) }, { NUMBER($unknown) } { $unknown ->
    [one] inconnu
   *[other] inconnus
 }, { NUMBER($clear) } hors de cause
column-of-example = De l’exemple
column-of-place = De l’endroit
column-place = Endroit
alike-more = … et { NUMBER($count) } { $count ->
    [one] autre site
   *[other] autres sites
 } (--paths montre tout)
alike-nothing = rien de { $file } ne peut être comparé
alike-nothing-remedy = ce qui a moins de 64 octets, ou des classes sans code, ne dit rien; prenez un autre fichier, ou un autre --part
alike-example-incomplete = l’exemple n’a pas pu être lu jusqu’au bout; ce qu’il contient d’autre n’a pas été demandé
alike-only-archives = { $file } n’a pas de code Java : il est cherché dans les archives, pas parmi les fichiers seuls
alike-part = { $file } contient { NUMBER($count) } archives; --part PREFIX porte sur une partie (--part BOOT-INF/lib/x.jar!/)
alike-unknown-remedy = un inventaire montre de quoi les archives sont faites après relight scan CIBLE --site SITE
public-exported = { NUMBER($files) } { $files ->
    [one] fichier écrit
   *[other] fichiers écrits
 } : { $folder }
public-cannot-write = impossible d'écrire la page publique dans { $folder }
public-cannot-write-remedy = vérifiez la place et les droits du dossier; l'ancienne page y reste
public-nothing-there = il n'y a pas de page publique dans { $folder }
public-nothing-there-remedy = relight public export l'écrit; relight serve la tient à jour
public-cannot-listen-remedy = voir ce qui occupe le port, ou donner une autre adresse avec --listen
### Défauts de la configuration d'un frontal.

lint-gate-missing = ne passe pas par la barrière
lint-gate-missing-remedy = collez-y la barrière que donne « relight edge config »
lint-gate-narrowed = la barrière n’arrête qu’une partie des requêtes : les autres atteignent l’origine éteinte
lint-gate-narrowed-remedy = ne laissez devant le 503 que les conditions de « relight edge config »
lint-gate-marker-missing = la réponse éteinte ne nomme pas la barrière : aucune preuve possible
lint-gate-marker-missing-remedy = ajoutez l’en-tête X-Relight-Gate au 503 de la barrière
lint-gate-header-kept = laisse l’origine envoyer X-Relight-Gate : un site allumé passerait pour éteint
lint-gate-header-kept-remedy = retirez cet en-tête des réponses de l’origine, ici aussi
lint-gate-by-admin = la barrière est commandée par l’interface d’administration, et perdue au rechargement
lint-gate-by-admin-remedy = faites chercher la barrière par un filtre « file », comme dans « relight edge config caddy »
lint-site-key-missing = a la barrière sans clé de site : elle ne ferme jamais
lint-site-key-missing-remedy = donnez la clé du site avant la barrière
lint-site-key-invalid = cette clé de site est impossible
lint-site-key-invalid-remedy = petites lettres, chiffres et . _ @ -, comme au registre
lint-site-key-twice = cette clé de site désigne déjà un autre site
lint-site-key-twice-remedy = donnez à chaque site la clé qu’il a au registre
lint-key-from-client = la clé vient de ce qu’envoie le client : d’autres graphies du nom passent la barrière
lint-key-from-client-remedy = écrivez la clé du site elle-même
lint-pattern-name = le nom est un motif et la clé n’est pas un mot à elle seule
lint-pattern-name-remedy = donnez une clé littérale dans ce bloc
lint-barrier-fails = sa seconde barrière ne fait pas ce qui lui a été demandé, même si elle a pu le dire
lint-barrier-fails-remedy = relight edge list la montre comme un frontal à part : voyez celui-là; ce qu’elle garde et qui peut être allumé s’y rouvre, ou à la main
lint-edge-untrusted = a été pris en défaut trois fois en 30 jours, la première fois à cette date : il se disait éteint et des visiteurs entraient; aucun exercice réussi depuis
lint-edge-untrusted-remedy = corrigez ce qui les laissait entrer, puis : relight drill --edges NOM
lint-drill-interrupted = un exercice a été interrompu, et ce qu’il a fermé n’a pas été vu rallumé depuis
lint-drill-interrupted-remedy = relight serve le rouvre de lui-même, comme le prochain : relight drill --edges NOM
lint-host-spelling = des visiteurs contournent la barrière fermée avec cette graphie du nom
lint-host-spelling-remedy = clé de la barrière : le site que le mandataire a trouvé, jamais ce qu’un visiteur a envoyé (relight edge config)
lint-spelling-untold = une graphie de son nom a contourné sa barrière, et nul ne peut dire d’ici si c’est encore le cas
lint-spelling-untold-remedy = relight edge check sur la machine qui atteint le frontal, tandis que l’origine répond
lint-http2-unspoken = cette écoute TLS ne parle pas HTTP/2 : on n’en sait que ce que montre HTTP/1
lint-http2-unspoken-remedy = rien, sauf si elle devait le parler : relight edge config
lint-default-open = les noms que personne ne sert aboutissent à un site
lint-default-open-remedy = répondez-leur 421, avant tout site
lint-file-cache-errors = les fichiers absents de la barrière sont mémorisés : l’extinction tarde de plusieurs secondes
lint-file-cache-errors-remedy = open_file_cache_errors off
lint-file-cache = les fichiers de la barrière sont mémorisés : le rallumage tarde
lint-file-cache-remedy = open_file_cache off là où se trouve la barrière
lint-acme-proxied = les défis des certificats atteignent l’origine éteinte
lint-acme-proxied-remedy = répondez-y au frontal, depuis un dossier
lint-real-ip-unix = un client peut se faire passer pour la prise de vérification
lint-real-ip-unix-remedy = retirez set_real_ip_from unix:
lint-include-glob = une inclusion par motif dans chaque site rend les rechargements très lents
lint-include-glob-remedy = incluez le fichier par son nom
lint-hsts-lost = le 503 n’a pas l’en-tête HSTS du site
lint-hsts-lost-remedy = répétez-le là où répond la barrière
lint-no-shutdown-timeout = les anciens processus peuvent servir sans fin après un rechargement
lint-no-shutdown-timeout-remedy = fixez une limite (worker_shutdown_timeout, GracefulShutdownTimeout)
lint-no-hard-stop = les anciens processus peuvent servir sans fin après un rechargement
lint-no-hard-stop-remedy = hard-stop-after 30s
lint-no-admin-socket = aucune prise de niveau admin : la barrière ne peut être commandée
lint-no-admin-socket-remedy = stats socket CHEMIN mode 600 level admin
lint-map-shared = une autre règle consulte la table de la barrière
lint-map-shared-remedy = donnez-lui sa propre table
lint-bufsize-too-small-remedy = tune.bufsize 16384, ou retirez la ligne
lint-rewrite-off = la barrière est écrite et la réécriture est coupée
lint-rewrite-off-remedy = RewriteEngine On dans cet hôte virtuel
lint-canonical-name-off = SERVER_NAME est ce qu’envoie le client
lint-canonical-name-off-remedy = UseCanonicalName On, ou la clé elle-même dans la condition
lint-define-in-map = une valeur définie n’est pas remplacée dans une table : la barrière ne ferme jamais
lint-define-in-map-remedy = écrivez la clé elle-même
lint-hold-proxied = la page d’attente serait demandée à l’origine fermée
lint-hold-proxied-remedy = ProxyPass /.relight/ ! avant les autres
lint-config-torn = les blocs ne s’emboîtent pas
lint-config-torn-remedy = réparez accolades ou sections; le reste a été lu autant que possible
lint-config-not-named = personne ne regarde sa configuration : ce qui y laisserait un site allumé n’est pas dit
lint-config-not-named-remedy = enregistrez-le de nouveau avec --set config=FICHIER; d’ici là : relight edge lint FICHIER
lint-include-unreadable = un fichier inclus ne peut être lu
lint-include-unreadable-remedy = rendez-le lisible : ce qu’il contient est inconnu
lint-include-limit = les inclusions sont trop profondes ou trop nombreuses
lint-include-limit-remedy = au plus 16 niveaux et 20 000 fichiers
lint-no-site = aucun site trouvé dans cette configuration
lint-no-site-remedy = nommez le fichier principal, et son genre avec --kind
lint-agent-finding = l’agent a trouvé quelque chose que cette version ne sait pas dire
lint-agent-finding-remedy = installez ici la version de l’agent, ou lisez là-bas ce qu’elle en dit
lint-reload-slow = tant de sites qu’un rechargement dure plus d’une seconde
lint-reload-slow-remedy = rien à faire pour la barrière : elle s’en passe
lint-gate-path-missing = la barrière consultée n’existe pas : tous les sites restent allumés
lint-gate-path-missing-remedy = « relight edge add » la crée; employez le même chemin
lint-gate-other-path = consulte une autre barrière que celle de ce frontal
lint-gate-other-path-remedy = employez le chemin que montre « relight edge list »
lint-listener-unregistered = des sites sont servis à une adresse que l’enregistrement du frontal ne nomme pas : personne n’y regarde
lint-listener-unregistered-remedy = enregistrez le frontal avec --listen pour chaque adresse que le public atteint
lint-gate-on-tmpfs = la barrière est en mémoire et perdue au redémarrage
lint-gate-on-tmpfs-remedy = mettez-la sur un disque
lint-verify-open-to-others = tout compte de cette machine passe la barrière par cette prise
lint-verify-open-to-others-remedy = réservez-la au groupe des essayeurs (mode 660), ou son dossier (mode 750)
lint-canary-not-dark = le canari a été fermé et n’est pas vu éteint
lint-canary-not-dark-remedy = collez le canari de « relight edge config » et rechargez le frontal
edge-linted = { NUMBER($gated) } { $gated ->
    [one] site
   *[other] sites
 } sur { NUMBER($sites) } derrière la barrière, { NUMBER($found) } { $found ->
    [one] constat
   *[other] constats
 }
edge-kind-unknown = { $path } ne ressemble à aucune configuration connue
edge-kind-unknown-remedy = nommez son genre : --kind nginx, haproxy, apache ou caddy
edge-discovered = { NUMBER($sites) } { $sites ->
    [one] site trouvé
   *[other] sites trouvés
 }, { NUMBER($keyless) } encore sans barrière
edge-discovered-remedy = ajoutez organisation et secteur, puis : relight sites import FICHIER.csv
drill-reach = le frontal répond, et rien d'autre n'y est éteint
drill-lint = sa configuration est sans erreur
drill-dark = s'éteint, avec preuve
drill-hosts = aucune graphie du nom ne passe la barrière
drill-tunnels = les connexions élevées auparavant ont pris fin
drill-reload = un rechargement par d'autres mains ne rallume rien
drill-redeployed = d'autres artefacts sont éteints tant que personne ne les a examinés
drill-behind = les testeurs l'atteignent derrière la barrière
drill-fence = un contrôleur plus ancien est refusé
drill-restart = un contrôleur redémarré le trouve éteint et le garde ainsi
drill-relight = revient sur preuve nette, prouvé deux fois
drill-revised = un avis révisé l'éteint de nouveau
drill-return = tout est allumé comme au début
drill-untried = (pas essayé : il n'y a rien de tel sur ce frontal)
drill-summary = { $edge } : { NUMBER($done) } { $done ->
    [one] étape réussie
   *[other] étapes réussies
 } sur { NUMBER($steps) }, { NUMBER($keys) } { $keys ->
    [one] clé touchée
   *[other] clés touchées
 }
drill-no-edge = aucun frontal au registre
drill-asked = { $edge } : le serveur y fait l’exercice
drill-marks-changed = { $edge } : d’autres sites sont marqués pour les exercices qu’à la demande : rien n’a été fermé
drill-again-remedy = demandez-le de nouveau
drill-busy = { $edge } : un autre exercice y est en cours : rien n’a été fermé
drill-busy-remedy = attendez-en la fin, puis demandez-le de nouveau
drill-gone = { $edge } : le serveur qui faisait l’exercice a disparu ou redémarré : personne ne sait ce qu’il a montré
drill-gone-remedy = le prochain relight serve le termine au journal et rouvre ce qu’il a fermé; puis demandez-le de nouveau
drill-not-begun = le serveur en marche n’a pas inscrit au journal qu’un exercice commence : rien n’a été fermé
drill-not-begun-remedy = relight doctor dit comment va le serveur; puis demandez-le de nouveau
drill-too-old = { $edge } : le serveur y est venu trop tard, ou son horloge a été changée : rien n’a été fermé
drill-replaced = { $edge } : quelqu’un y a demandé un autre exercice avant que celui-ci commence
drill-failed = { $edge } : le serveur n’a pu faire l’exercice, ou en écrire le résultat : { $why }
drill-unanswered = { $edge } : un serveur fonctionne, et n’a pas dit à temps ce qu’un exercice y montre : il en fait peut-être un sur un autre frontal
drill-unanswered-remedy = attendez un peu, puis demandez-le de nouveau; relight audit export dit ce qui a été fait
drill-left = le serveur en marche prend le résultat de l'exercice dès qu'il le peut : `relight edge check` dit quand il compte
edge-repair-by-server = un serveur est en marche et ramène lui-même ses frontaux : attente qu'ils montrent ce que veut le journal
check-arrow = un essai dit ce qu'une requête doit donner, après une flèche
check-request = un essai demande avec GET ou HEAD, et rien d'autre
check-path = ce qu'un essai demande commence par / et est un chemin avec sa requête d'au plus 1 024 octets, en ASCII (%C3%A9 pour é), sans espace ni #
check-status = un site qui marche répond avec un statut de 200 à 499
check-text = le texte d'un essai a au plus 256 octets, sur une ligne
check-head = la réponse à HEAD ne contient pas de texte
check-many = un site a au plus 32 essais
check-utf8 = ce n'est pas de l'UTF-8
check-site = ce n'est pas le nom court d'un site
check-remedy = écrivez [GET|HEAD] /CHEMIN -> STATUT TEXTE, l'un des deux ou les deux, par exemple /rendez-vous -> 200 Prendre rendez-vous
checks-told = { $checks ->
    [one] { NUMBER($checks) } essai
   *[other] { NUMBER($checks) } essais
 } de { $sites ->
    [one] { NUMBER($sites) } site
   *[other] { NUMBER($sites) } sites
 }
column-check = Essai
mark-both = { $site } ne peut être à la fois protégé et mis à l'exercice
mark-both-remedy = retirez d'abord l'autre marque
engine-not-clear = aucune preuve actuelle ne met le site hors de cause
engine-not-clear-remedy = analysez-le de nouveau, ou que deux personnes en répondent sur la page du site
entry-acceptance-proposed = une seconde personne est priée d'en répondre
acceptance-takes-two = deux personnes répondent d'un site qu'aucune preuve ne met hors de cause, et la ligne de commande n'en connaît qu'une
acceptance-takes-two-remedy = relight serve, puis demandez sur la page du site : /site/{ $site }
held-plan-reason = ce qu’on en a appris éteindrait plus de sites qu’il ne peut s’en éteindre sans ordre
held-plan-over = ce qui attend a changé
on-reason = une preuve à jour les met hors de cause
acceptance-waits = { $site } : une seconde personne doit donner son accord
exempt-not-clear-remedy = analysez-le de nouveau, ou que deux personnes en répondent : relight serve, puis demandez sur /site/{ $site }
site-exempt = { $site } : peut rester en ligne
site-mitigated = { $site } : derrière une protection, toujours éteint; il revient quand deux personnes en répondent
payloads-blocked = { NUMBER($blocked) } { $blocked ->
    [one] requête arrêtée
   *[other] requêtes arrêtées
 } sur { NUMBER($sent) } avec charge
payloads-blocked-remedy = une protection qui en laisse passer une n'en est pas une : le site reste touché
payloads-unusable = { $path } ne contient aucune charge à envoyer
payloads-unusable-remedy = une charge par ligne, au plus 1 000 d'au plus 4 096 octets, sans caractère de contrôle
payloads-unsent = ces charges ne peuvent pas être envoyées
payload-at = ligne { NUMBER($line) } : { $why }
payload-none = il n'y en a aucune
payload-too-many = plus de 1 000
payload-too-long = plus de 4 096 octets
payload-control = elle contient un caractère de contrôle (une tabulation, par exemple), et elle est envoyée telle quelle ou pas du tout
payload-blank = elle est vide
payload-not-text = elle n'est pas en UTF-8
analysed = { NUMBER($sites) } { $sites ->
    [one] site examiné
   *[other] sites examinés
 }, { NUMBER($unknown) } encore { $unknown ->
    [one] inconnu
   *[other] inconnus
 }
undo-nothing = aucun ordre ne peut être annulé
undo-nothing-remedy = relight incident log montre les ordres; chacun s'annule pendant dix minutes
undone = ordre annulé : { NUMBER($opened) } { $opened ->
    [one] site revient
   *[other] sites reviennent
 }, { NUMBER($kept) } { $kept ->
    [one] reste éteint
   *[other] restent éteints
 } faute de preuve nette
edge-left-lit = reste hors du plan : { NUMBER($sites) } { $sites ->
    [one] de ses sites reste allumé
   *[other] de ses sites restent allumés
 }
plan-renamed = les visiteurs joignent { $sites } sous d’autres noms que ceux qui étaient montrés
plan-renamed-remedy = rien n’a été changé : regardez les noms, et refaites le plan
plan-edge-refused = plan refusé : la configuration de { $edges } laisserait des sites allumés
plan-edge-refused-remedy = corrigez ce qui est nommé plus haut; en urgence : --break-glass
edge-will-be-exposed = inutilisable : { NUMBER($sites) } { $sites ->
    [one] site compte comme exposé
   *[other] sites comptent comme exposés
 }
edge-has-tunnels = { $edge } : { NUMBER($open) } { $open ->
    [one] connexion ouverte sera coupée
   *[other] connexions ouvertes seront coupées
 }
plan-shares = { NUMBER($sites) } { $sites ->
    [one] site hors du plan partage
   *[other] sites hors du plan partagent
 } quelque chose avec un site du plan
column-vendor = Éditeur
column-ordered = Éteint le
column-relit = Rallumé le
column-product = Composant
column-action = Mesure
column-dark-minutes = Éteint (min)
column-exposed-minutes = Exposé (min)
action-updated = mis à jour
action-not-affected-any-more = n'est plus touché
action-none-needed = aucune nécessaire
action-exempt = exempté
action-mitigated = protégé
action-removal-not-proven = retrait non prouvé
action-removed-from-network = retiré du réseau
action-risk-accepted = risque accepté
action-mitigated-risk-accepted = protégé, risque accepté
action-not-examined = non examiné
action-left-online = laissé en ligne
report-of = Rapport sur { $id }
report-made = Fait le { $at }; l’incident fut ouvert le { $opened }.
report-sources = Sur quelles données il repose
report-summary = { $id } : { NUMBER($sites) } { $sites ->
    [one] site concerné
   *[other] sites concernés
 }
edge-not-running = écrivez sa configuration avec relight edge config, démarrez-le, puis essayez-le avec relight edge test
waves-stopped = plus d'un sur cent n'est pas revenu : { NUMBER($sites) } { $sites ->
    [one] site reste éteint
   *[other] sites restent éteints
 }
waves-held = { NUMBER($sites) } { $sites ->
    [one] site n'a pas été rallumé
   *[other] sites n'ont pas été rallumés
 }, éteints pour un autre incident ou parce que ce qu'on en savait a changé

relight-stopped = trop de sites ne sont pas revenus derrière leur frontal, ou derrière les dix premiers frontaux : relight n'y rallume plus rien de lui-même, { NUMBER($sites) } { $sites ->
    [one] site attend
   *[other] sites attendent
 }
relight-stopped-remedy = regardez les frontaux (relight edge check), puis rallumez avec relight incident on
relight-left-remedy = rallumez avec relight incident on
relight-left = un plan de rallumage a pris fin avant de les rallumer, ou a été annulé : { NUMBER($sites) } { $sites ->
    [one] site attend
   *[other] sites attendent
 } une décision
parts-stopped = trop de parties ne sont pas revenues derrière leur frontal, ou derrière les dix premiers frontaux : relight n'y rouvre plus rien de lui-même, { NUMBER($parts) } { $parts ->
    [one] partie attend
   *[other] parties attendent
 }
parts-stopped-remedy = regardez les frontaux (relight edge check), puis rouvrez avec relight incident on --sites … --part …
held-back = { NUMBER($sites) } { $sites ->
    [one] site devrait être éteint selon la preuve la plus récente, et attend un ordre
   *[other] sites devraient être éteints selon la preuve la plus récente, et attendent un ordre : protégés, hors d'atteinte de celui qui fut donné, ou plus que des nouvelles n'en peuvent éteindre
 }
held-back-remedy = voyez ce qui a changé; puis relight incident off --sites state:exposed --reason "…"
restored-holds = { NUMBER($sites) } { $sites ->
    [one] site reste éteint : ce qui le met hors de cause date d'avant le retour du registre d'une copie plus ancienne
   *[other] sites restent éteints : ce qui les met hors de cause date d'avant le retour du registre d'une copie plus ancienne
 }
restored-holds-remedy = analysez-les à nouveau (relight scan CHEMIN --site SITE), ou que deux personnes signent pour eux
entry-held-back = retenus : protégés, hors d'atteinte d'un ordre, ou trop nombreux pour être éteints sans ordre
doctor-store = registre
doctor-files = fichiers
doctor-file-open = d’autres peuvent lire ou changer { $path }
doctor-file-left = une commande interrompue a laissé { $path }
doctor-mends-mode = { $path } est fermé aux autres (chmod { $mode })
doctor-mends-left = { $path } est enlevé
doctor-mended = réparé
doctor-would = serait réparé
doctor-nothing-to-mend = rien à réparer sans personne
doctor-not-mended-remedy = relancez-la quand aucune autre commande de relight n’y tourne
doctor-sites = { NUMBER($count) } { $count ->
    [one] site
   *[other] sites
  }, le fichier est entier
doctor-journal-whole = { NUMBER($entries) } { $entries ->
    [one] entrée
   *[other] entrées
  }, chaîne intacte
doctor-journal-broken = la chaîne des empreintes est rompue
doctor-clock-right = après la dernière entrée du journal
doctor-clock-behind = { NUMBER($seconds) } s avant la dernière entrée du journal : l'âge des preuves serait faux; réglez l'horloge
doctor-space-free = { NUMBER($mebibytes) } Mio libres
doctor-unread = { NUMBER($count) } { $count ->
    [one] faille reste inconnue
   *[other] failles restent inconnues
 } là où rien n'est trouvé : un avis conservé ne peut plus être lu
doctor-advisories = avis
doctor-no-sources = seulement les quatre qui sont intégrés
doctor-inventories = inventaires
doctor-no-gaps = réponse et commande possibles pour { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
  }
doctor-gaps = { NUMBER($wanting) } { $wanting ->
    [one] site
   *[other] sites
  } sur { NUMBER($sites) } ne peuvent pas encore recevoir de réponse ou être commandés
doctor-edge = frontal
doctor-no-edge = aucun : aucun site ne peut être éteint
doctor-unencrypted = { $edge } : d'autres machines joignent { $address } sans TLS, et il ne démarre qu'avec --unencrypted
doctor-holding-outdated = { NUMBER($sites) } { $sites ->
    [one] site éteint ne dirait pas comment le joindre autrement, comme le registre le dit
   *[other] sites éteints ne diraient pas comment les joindre autrement, comme le registre le dit
 }
doctor-operator = opérateur
doctor-policy = politique
doctor-keys = clés d’accès
doctor-policy-signed = signée avec la clé du registre
doctor-controlled = un serveur tient les frontaux
doctor-no-controller = personne, et aucun incident n'est ouvert
doctor-incident-alone = personne ne garde les frontaux tels que les { $count ->
    [one] veut l'incident ouvert
   *[other] veulent les { NUMBER($count) } incidents ouverts
  }
doctor-journal = journal
doctor-clock = horloge
doctor-space = espace
doctor-controller = commande
doctor-restored = registre restauré
lint-drill-missing = ce genre de frontal n’est cru qu’après un exercice : d’ici là aucun site ne compte comme éteint, preuve faite
lint-drill-missing-remedy = faites un exercice : relight drill --edges NOM
lint-drill-untried = n’est que dit de ce frontal, et son dernier exercice n’a pu l’essayer : d’ici là aucun site ne compte comme éteint, preuve faite
lint-drill-untried-remedy = nommez ce qui le recharge (--set reload=…), marquez pour les exercices un site qui a des WebSockets, ou dites upgrades=refused; puis : relight drill --edges NOM
lint-reload-untried = rien n’est nommé qui recharge celui-ci : qu’il garde alors sa barrière n’a pas été essayé
lint-reload-untried-remedy = enregistrez-le avec --set reload=…, puis refaites l’exercice
lint-tunnels-untried = aucune connexion n’a pu passer en WebSocket par celui-ci : que de telles connexions soient coupées n’a pas été essayé
lint-tunnels-untried-remedy = marquez pour les exercices un site qui y a des WebSockets, ou enregistrez-le avec --set upgrades=refused; puis refaites l’exercice

account-no-reason = le motif n’est pas dit
account-no-reason-remedy = dites-le avec --reason : il figure au journal et toute personne qui se connecte en est avisée
# url
account-no-address = { $url } n’est pas l’adresse d’une console : https et un nom, ou localhost
account-no-address-remedy = donnez celle de relight serve : --console-url https://relight.example
account-refused-remedy = relight audit export montre qui a reçu quoi; qui administre et peut entrer fait tout cela à la page /accounts
# account
account-link = Avec ce lien, { $account } inscrit une nouvelle clé dans les 24 heures, dès qu’un serveur est en marche; les clés, les jetons et les connexions d’avant ne valent plus rien.
account-second = Un compte d’administration peut accorder seul, une fois, un rôle de commandement ou d’approbation.
account-told = Le journal le dit, et toute personne qui se connecte en est avisée.
token-shown = Il n’est montré que cette fois, et vaut jusqu’au { $until }.
token-revoked = Le jeton { NUMBER($number) } ne vaut plus rien.
token-none = Il n’y a aucun jeton.
token-dead = sans valeur
token-column-number = No
token-bad-role = le rôle ou le lieu n’en est pas un
token-bad-role-remedy = rôles : { $names }; un lieu est « / », secteur, ou secteur/organisme
token-refused-remedy = relight token list; les comptes et les rôles sont sur la page /accounts de la console
token-failed = le jeton n’a été ni créé ni supprimé
token-failed-remedy = faites de la place ou réparez le dossier de données, puis relancez la commande; relight token list montre ce qui vaut
accounts-unreadable = les comptes du registre ne peuvent pas être lus
accounts-unreadable-remedy = relight doctor dit ce qui ne va pas dans le dossier de données
affected-bad-time = « { $text } » n’est pas un moment du passé
affected-bad-time-remedy = écrivez --at 2021-12-10 pour la fin d'un jour, ou --at 2021-12-10T18:00:00Z

remote-no-token = le jeton qui demande au serveur n’est pas nommé
remote-no-token-remedy = relight login --server URL; ou relight token create COMPTE --role commander --days 30 > FICHIER, puis --token-file FICHIER
# path
remote-bad-token = { $path } ne contient pas de jeton
remote-unknown = le jeton n’y est pas connu, ou a pris fin
# server, what
remote-refused = { $server } ne l’a pas fait : { $what }
remote-refused-remedy = connectez-vous là et regardez la page /plans
remote-insecure = aucun jeton n’est envoyé à cette adresse
remote-insecure-remedy = donnez une adresse en https, ou en http de cette machine, sans nom ni mot de passe
# server
remote-unreached = { $server } ne donne aucune réponse lisible
remote-unreached-remedy = est-ce l’adresse de la console, et tourne-t-elle? --ca nomme d’autres autorités. Regardez sa page /plans avant de redemander : le plan est peut-être arrivé
remote-not-this-question = la réponse n’est pas celle de cette question
remote-short = il manque à la réponse une partie de ce qu’elle compte
remote-no-plan = la réponse n’est pas un plan
# seats, sites
remote-shown = { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } à commuter; { NUMBER($seats) } { $seats ->
    [one] personne doit donner son accord
   *[other] personnes doivent donner leur accord
 }
# id, signed, seats, expires
remote-waits = en attente d’accord  { $id }  { NUMBER($signed) } sur { NUMBER($seats) }  jusqu’à { $expires }

### Configuration.

settings-unreadable = la configuration ne peut pas être lue
settings-unreadable-remedy = corrigez le fichier ou ses droits, ou nommez-en un autre par --config FICHIER, avant la commande
settings-syntax = ce n’est pas du TOML
settings-syntax-remedy = corrigez la ligne; relight config show donne les clés, et docs/fr/settings.md montre un fichier
settings-unknown = clé inconnue « { $key } »
settings-all = relight config show donne toutes les clés
settings-secret = « { $key } » contiendrait un secret en clair
settings-secret-remedy = mettez-le dans un fichier que vous seul lisez, et nommez celui-ci par token_file
settings-not-here = « { $key } » ne se fixe pas dans le dossier où une commande s’exécute : il peut être celui d’un inconnu
settings-not-here-remedy = mettez-la dans le relight.toml de votre propre dossier de configuration, ou nommez le fichier par --config, avant la commande
settings-option = option
settings-default = défaut
config-key = Clé
config-value = Valeur
config-origin = Fixée par
run-files = configuration
run-data = dossier de données
status-register = { $data }  { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
}
status-served = un serveur commande ce registre
status-alone = aucun serveur ne fonctionne : relight serve
status-dark = { NUMBER($dark) } { $dark ->
    [one] éteint
   *[other] éteints
} sur { NUMBER($sites) }
login-done = le jeton pour { $server } est gardé dans { $file }
man-name = Nom
man-synopsis = Synopsis
man-exit = Code de retour
man-see-also = Voir aussi
man-exit-0 = Fait; aussi quand le lecteur d’un tube en a assez vu
man-exit-1 = Quelque chose n’a pu être lu, joint ou écrit; doctor a trouvé quelque chose de mauvais
man-exit-2 = Les arguments ou la configuration ne peuvent servir
man-exit-3 = La réponse contient des sites inconnus
man-exit-4 = Une personne doit d’abord accepter, a refusé ou n’est pas venue à temps
man-exit-10 = Un seuil demandé est atteint (--fail, --fail-on)
man-written = { NUMBER($count) } { $count ->
    [one] page
   *[other] pages
} dans { $folder }
login-open = Ouvrez { $page } dans votre navigateur, connectez-vous et tapez ce code :
login-waits = Il vaut { NUMBER($minutes) } { $minutes ->
    [one] minute
   *[other] minutes
}, pour vous seul : ne le donnez à personne. En attente…
login-granted = admis par { $account } : { $role }, jusqu’au { $until }
login-unreached-remedy = est-ce l’adresse de la console, et fonctionne-t-elle? --ca nomme d’autres autorités; puis relight login de nouveau
login-refused = quelqu’un a refusé de laisser entrer ce terminal sur { $server }
login-refused-remedy = relight login de nouveau, si c’est une erreur; sinon, demandez qui c’était : le journal d’audit du serveur le dit (terminal-refused)
login-expired = personne n’a laissé entrer ce terminal à temps
login-expired-remedy = relight login de nouveau, puis tapez le nouveau code
login-bad-days-remedy = --days de 1 à 90
login-not-granted-remedy = relancez relight login; ou demandez le rôle qui manque à qui les donne
login-forgotten = le serveur ne connaît plus ce terminal : il a redémarré entre-temps, ou sa réponse s’est perdue
login-forgotten-remedy = relancez relight login; si vous l’avez déjà laissé entrer, mettez d’abord fin au jeton « { $name } » sur la page /me
login-lost = admis, mais le jeton ne peut être gardé; il y a été mis fin au serveur
login-lost-alive = admis, mais le jeton ne peut être gardé, et il n’a pas pu y être mis fin : mettez fin à « { $name } » sur la page /me de { $server }
login-busy = { $server } est surchargé; nouvelle demande dans { NUMBER($seconds) } { $seconds ->
    [one] seconde
   *[other] secondes
}
login-before-alive = il n’a pas pu être mis fin au jeton gardé auparavant pour { $server } : il y vaut jusqu’à ce qu’il soit révoqué (relight token revoke, ou la page /me)
login-ask = Jeton (il ne s’affiche pas) :
login-no-folder = il n’y a pas de dossier où garder le jeton
login-no-folder-remedy = fixez HOME ou XDG_CONFIG_HOME, ou donnez --token-file à chaque commande
logout-done = le jeton pour { $server } y a pris fin et est oublié ici
logout-over = le jeton pour { $server } y avait déjà pris fin; il est oublié ici
logout-only-here = le jeton pour { $server } est oublié ici, mais il n’a pas pu y être mis fin : il y vaut jusqu’à ce qu’il soit révoqué (relight token revoke, ou la page /me)
logout-nothing = aucun jeton n’était gardé pour { $server }
