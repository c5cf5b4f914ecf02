### The words of coded values: states, verdicts, reasons, flaws, severities, sectors.

state-dark-requested = Extinction demandée
state-exposed = Touché, encore en ligne
state-relit-fixed = Rallumé après correctif
state-online = En ligne
state-verifying = Vérification
state-fixing = Correctif en cours
state-affected = Touché
state-analysing = En analyse
state-dark = Éteint, en attente

verdict-affected = touché
verdict-clear = hors de cause
verdict-unknown = inconnu

reason-no-asset = aucun actif n'est rattaché au site
reason-never-inventoried = un actif n'a jamais été inventorié
reason-stale = le dernier inventaire est trop ancien
reason-changed-since = un déploiement a suivi l'inventaire
reason-partial-permission = une partie n'a pas pu être ouverte
reason-partial-encrypted = une partie est chiffrée
reason-partial-limit = une partie dépasse une limite de lecture
reason-partial-corrupt = une partie est corrompue
reason-partial-excluded = une partie a été exclue ou n'est pas lue
reason-declared-only = seul un document de construction existe
reason-possible-match = le nom correspond, la version est absente ou incomparable
reason-range-unresolved = l'avis ne donne aucune plage de versions évaluable

# Why a light is not as it was ordered.
reason-probe-disagrees = la sonde contredit le frontal
reason-not-permitted-or-not-proven = la preuve n'est plus valable ou la sonde ne la confirme pas
reason-functional-or-rescan = l'essai ou le nouvel examen a échoué
reason-unreachable = le frontal ne répond pas
reason-refused = le frontal a refusé l'ordre
reason-fenced = un autre contrôleur commande ce frontal
reason-foreign-edit = la configuration du frontal a été modifiée par quelqu'un d'autre
reason-lint = la configuration du frontal ne convient pas
reason-io = erreur d'entrée-sortie sur le frontal

warning-advisory-format-unknown = format d'avis inconnu
warning-advisory-too-large = avis trop volumineux
warning-cyclonedx-component = composant CycloneDX inutilisable
warning-cyclonedx-flaw = lacune CycloneDX illisible
warning-cyclonedx-purl = purl CycloneDX invalide
warning-dpkg-bad-status = paragraphe dpkg illisible
warning-maven-bad-pom-properties = pom.properties illisible
warning-npm-bad-lock = package-lock.json illisible
warning-npm-bad-package = package.json illisible
warning-osv-bad-record = fiche OSV inutilisable
warning-osv-note = remarque sur une fiche OSV
warning-python-bad-metadata = métadonnées Python illisibles

flaw-permission-denied = accès refusé par le système
flaw-io-error = erreur de lecture
flaw-encrypted = chiffré; aucun mot de passe n'est essayé
flaw-limit-depth = imbriqué plus profondément que la limite
flaw-limit-entries = plus d'entrées que la limite
flaw-limit-expanded = plus d'octets décompressés que la limite
flaw-limit-entry-size = un membre plus gros que la limite
flaw-limit-class-size = classe plus grande que la limite
flaw-limit-time = plus de temps de calcul que la limite
flaw-limit-memory = plus de mémoire que la limite
flaw-limit-window = son décodeur demande plus de mémoire que la limite
flaw-truncated = fin prématurée
flaw-corrupt-entry = membre impossible à décompresser ou à lire
flaw-crc-mismatch = somme de contrôle fausse
flaw-zip-overlap = membres qui partagent des octets compressés
flaw-zip-header-mismatch = deux en-têtes qui se contredisent
flaw-zip-boundary-ambiguous = fin indéterminable
flaw-class-malformed = classe illisible
flaw-digest-mismatch = octets différents de ceux que promet l’empreinte
flaw-archive-loop = archive qui se contient elle-même
flaw-database-damaged = base d’empreintes endommagée
flaw-method-unsupported = méthode de compression non lue
flaw-container-unsupported = type d’archive non lu
flaw-link-outside = lien symbolique vers l'extérieur de la cible
flaw-excluded-by-option = exclu par une option
flaw-file-system-excluded = système de fichiers réseau ou utilisateur, exclu sauf s’il est nommé
flaw-platform-not-chosen = image d’une autre plateforme
flaw-changed-during-scan = modifié pendant la lecture, deux fois
flaw-undeclared = le document ne se déclare pas complet

severity-S0 = bruit de fond
severity-S1 = reconnaissance
severity-S2 = reconnaissance ciblée
severity-S3 = tentative d'exploitation
severity-S4 = tentative sur un site vulnérable
severity-S5 = signes de compromission

reconnaissance-note = Une reconnaissance n'est pas un signe de compromission.

sector-school-service-centres = Centres de services scolaires
sector-health = Réseau de santé
sector-municipal = Régies municipales
sector-colleges-universities = Collèges et universités
sector-finance-revenue = Finances et revenu
sector-justice = Justice
sector-tourism = Tourisme
sector-energy = Énergie
sector-labour-solidarity = Travail et solidarité
sector-family = Famille
sector-economy = Économie
sector-immigration = Immigration
sector-forests-parks = Forêts et parcs
sector-environment = Environnement
sector-transport = Transports
sector-public-safety = Sécurité publique
sector-housing = Habitation
sector-culture = Culture
sector-agriculture = Agriculture
sector-research = Recherche
sector-registers = Registres
sector-archives = Archives
sector-statistics = Statistique
sector-digital-services = Services numériques
