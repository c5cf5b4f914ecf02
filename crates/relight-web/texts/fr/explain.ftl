### Pourquoi un composant est touché ou non : rangs, règles, raisons et signaux.

explain-head = { $id }  { $purl }  { $verdict }
explain-not-affected = non touché
explain-by-cpe = d'après le nom CPE que vous avez indiqué; les paquets ne sont pas consultés
explain-no-cpe = aucune fiche ne donne de configuration de noms CPE
not-a-cpe = ceci n'est pas un nom CPE : { $text } ({ $why })
not-a-cpe-remedy = par exemple cpe:2.3:a:apache:log4j:2.14.1:*:*:*:*:*:*:*
explain-silent = aucune fiche ne nomme ce paquet
explain-decided = selon { $source } { $record } ({ $rank }) : { $said }
explain-opinion = { $verdict }  { $source } { $record } ({ $rank }) : { $said }
explain-said = { $rule } { $interval }
explain-withdrawn = { $source } { $record } a été retiré { $at }
explain-outside = { $rule } : { $interval }

rank-distribution = la distribution
rank-vendor = éditeur ou attributeur
rank-reviewed = relu
rank-community = communauté
rank-nvd = NVD
rank-own = le nôtre

rule-listed = dans la liste
rule-interval = dans
rule-outside = dans aucun intervalle
rule-rest = dit de toute autre version
rule-tombstone = aucune version n'est touchée
rule-binding = ce paquet n'est pas le produit
rule-commit = par son commit
rule-statement = déclaré pour cette version
rule-missing = il manque quelque chose

why-version-missing = la version n'est pas connue
why-version-unordered = la version n'a pas de place dans l'ordre de son écosystème
why-order-inexact = la place de la version dans l'ordre n'est pas certaine
why-epoch-missing = l'époque de la version n'est pas connue
why-release-unknown = la version de la distribution n'est pas connue
why-release-perhaps = la fiche vise une partie de cette version de la distribution, ou une version qui ne s'y compare pas
why-name-only = seule une partie du nom est connue
why-backport-base = un rétroportage dont la suite d'origine n'est pas dans les données
why-stream-unknown = le flux du module n'est pas connu
why-pseudo-version = un commit d'un module dont les versions ont d'autres numéros
why-several-versions = ce peut être plusieurs versions, et elles diffèrent
why-platform-unseen = la faille demande une plateforme que personne n'a indiquée
why-declared-only = seul un fichier de verrouillage ou un document de construction le nomme
why-no-range = la fiche ne donne aucun intervalle
why-git-only = la fiche ne donne que des commits
why-free-text = la fiche donne les versions en texte libre
why-all-versions = la fiche ne nomme aucune version
why-exhibit = l'avis vise aussi des fichiers ou des classes, et le nom d'un paquet n'en dit rien : relight affected interroge les inventaires
why-no-package = aucun avis en vigueur ne nomme de paquet, donc les inventaires ne disent rien de cette faille
why-no-source = aucun avis en vigueur ne parle de cette version de la distribution, donc le silence sur le paquet ne dit rien
why-unread = un avis conservé sur cette faille ne peut plus être lu : importez-le de nouveau
why-unknown-range = la fiche a une sorte d'intervalle inconnue
why-issuer-untrusted = qui la publie n'a pas la confiance de parler pour ce paquet, donc elle n'innocente aucune version
why-undetermined = l'éditeur cherche encore
why-stated-unknown = l'éditeur ne sait pas
why-bound-unordered = une borne qui ne peut être ordonnée déciderait
why-above-last-known = au-dessus de la dernière version connue pour être touchée

flag-sources-disagree = les sources se contredisent
flag-by-precedence = non touché par préséance : une source de moindre rang dit touché
flag-list-range-disagree = la liste et les intervalles d'une fiche se contredisent
flag-by-binding = un rattachement relu a décidé
flag-empty-interval = un intervalle d'une fiche ne contient aucune version
flag-events-ignored = une fiche a des évènements qui ne changent rien
flag-by-statement = une déclaration du fournisseur a décidé
flag-statements-contradict = des fournisseurs de confiance se contredisent
flag-by-owner = la distribution dit que le paquet qui la contient a le correctif

effect-affects = touché
effect-mitigates = touché, atténué
effect-clears = non touché
effect-fixes = corrigé dans exactement cette version
effect-nothing = en cours d'examen
effect-unjustified = non touché, sans raison : sans effet
stated-affected = touché
stated-mitigated = touché, atténué
stated-not-affected = non touché
stated-fixed = corrigé, et vérifié
stated-under-investigation = à l’étude
stated-why-affected = La faille a été trouvée sur ce site.
stated-why-mitigated = La faille a été trouvée sur ce site; une classe qui l’a en a été enlevée, ou un fournisseur dit que quelque chose la tient à l’écart, ce qui ne l’enlève pas.
stated-why-fixed = Un correctif a été vérifié sur ce site, et ce qui y est maintenant n’a pas la faille.
stated-why-absent = Rien de ce qui a la faille n’a été trouvé dans un inventaire entier et à jour de ce site.
stated-why-other = Ce qui a été trouvé sur ce site est dans des versions qui n’ont pas la faille, d’après un inventaire entier et à jour.
stated-why-unknown = Personne ne peut encore le dire : { $reasons }.
stated-seen = Inventaire confirmé pour la dernière fois le { $at }.
stated-never-seen = Il n’y en a aucun inventaire.
stated-action = Passer à une version qui n’a pas la faille; d’ici à ce que cela soit vérifié, tenir le site hors ligne.
stated-played = un exercice ou la province fictive a été joué, et ne dit rien à d’autres
vex-none = aucune déclaration d'un fournisseur n'est connue
vex-untrusted = sans effet : le fournisseur n'est pas de confiance
vex-trusted = de confiance : { $names }

### Nos propres avis.

own-hash = ce n'est pas un SHA-256 : { $text }
own-hash-remedy = 64 chiffres hexadécimaux, comme les écrit sha256sum
own-example = ce fichier ne peut servir d'exemple : { $file }
own-example-remedy = une partie en est illisible, ou il a trop de classes; nommez l'archive qui compte à l'intérieur
exhibit-file = tout fichier de SHA-256 { $digest }
exhibit-like = toute archive semblable à { $name }, dès { $share }
exhibit-path = tout fichier ou archive dont le chemin finit comme { $pattern }
exhibit-class = toute classe dont le nom finit comme { $pattern }
own-query = cette question ne peut être lue : { $text }
own-query-remedy = par exemple "has(path:*/log4j*.jar) or has(class:*JndiLookup) or has(hash:SHA256)"; un motif contient une lettre ou un chiffre, et une classe est un nom, ni membre, ni fichier, ni endroit : ce qui est en majuscules derrière une classe passe pour une constante, écrivez Outer$URL pour une classe imbriquée
own-range = cet intervalle ne peut être lu : { $text }
own-range-remedy = par exemple ">=2.0-beta9,<2.15.0", "=1.2 || =1.3", ou unknown
own-expires = cette durée ne peut être lue : { $text }
own-expires-remedy = par exemple 14d ou 36h
own-expired = devait être revu le { $day } : modifiez-le ou retirez-le; jusque-là, il compte
own-binary = { $name } est construit à partir de { $source }, et c'est sous ce nom que l'on connaît les paquets d'une distribution
own-package = ce paquet ne peut être lu : { $text }
own-package-remedy = écosystème et nom, par exemple maven:org.apache.logging.log4j:log4j-core
own-flaw = { $text } n'est ni un numéro CVE ni un numéro GHSA
own-bound = porte désormais sur cette faille; ce qu'il est seul à dire touché le reste jusqu'à son retrait
own-retired = est retiré : il ne donne plus d'avis, et rien n'est rallumé pour autant
own-counts = touchés { NUMBER($affected) }, hors de cause { NUMBER($clear) }, inconnus { NUMBER($unknown) }
own-joined = nouvellement touchés ({ NUMBER($count) }) : { $names }
own-left = qui ne sont plus touchés ({ NUMBER($count) }) : { $names }
own-published = publié
own-dry-run = rien n'a été publié; la même commande avec --yes le fait

### Pourquoi une chose passe d'abord.

priority-malicious = le paquet lui-même est malveillant
priority-exploited = exploitation connue
priority-ssvc-track = l'arbre de la CISA dit : dans le délai habituel
priority-ssvc-track-star = l'arbre de la CISA dit : dans le délai habituel, à suivre de près
priority-ssvc-attend = l'arbre de la CISA dit : plus tôt que d'habitude
priority-ssvc-act = l'arbre de la CISA dit : au plus vite
priority-ssvc-assumed = un point de l'arbre n'est pas connu, le pire a été pris
priority-epss = la probabilité d'exploitation sous 30 jours, multipliée par la criticité
priority-epss-new = nouveau, et sans note de probabilité d'exploitation
priority-epss-none = sans note de probabilité d'exploitation
priority-exposed = le site est joignable depuis internet
priority-controlled = le site n'est joignable qu'à travers un contrôle (VPN, liste d'adresses, partenaire)
priority-internal = le site n'est pas joignable depuis internet
priority-exposure-unknown = on ne sait pas si le site est joignable depuis internet
priority-probed-site = des tentatives contre ce site ont été vues ces 90 derniers jours
priority-probed-organisation = des tentatives contre cet organisme ont été vues ces 90 derniers jours
priority-score = la note CVSS
priority-score-site = la note CVSS pour ce site, selon ce qui en dépend et qui peut le joindre
priority-score-none = sans note CVSS

### Ce qu'un opérateur règle au sujet des sources.

policy-default = rien n'est réglé : les sources ont les rangs livrés avec relight
policy-rank = ceci n'est pas le rang d'une source
policy-rank-remedy = vendor, reviewed, community ou nvd; les distributions et vos propres fiches ont le leur
policy-package = ce paquet ne peut être lu
policy-package-remedy = écosystème et nom, par exemple Maven:org.apache.logging.log4j:log4j-core
policy-binding = ce rattachement n'est pas complet
policy-binding-remedy = il lui faut assigner, products, affects, reference et reviewer
policy-too-long = plus de lignes d'une sorte que ceci
policy-too-long-remedy = raccourcissez le fichier
policy-proposals = ceci n'est pas une règle pour proposer des incidents
policy-proposals-remedy = score au-dessus de 0 et d'au plus 10; exploited : internet, anywhere ou never
advisories-changes-none = personne n'a encore rien changé
rating-stated = { $score } selon la source
policy-unreadable = { $path } ne peut être lu comme réglage des sources
policy-unreadable-remedy = il contient [ranks], last_known_is_last, related_attaches et [[bindings]], rien d'autre
