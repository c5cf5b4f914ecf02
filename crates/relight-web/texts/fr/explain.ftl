### Pourquoi un composant est touché ou non : rangs, règles, raisons et signaux.

explain-head = { $id }  { $purl }  { $verdict }
explain-not-affected = non touché
explain-silent = aucune fiche ne nomme ce paquet
explain-decided = selon { $source } { $record } ({ $rank }) : { $said }
explain-opinion = { $verdict }  { $source } { $record } ({ $rank }) : { $said }
explain-said = { $rule } { $interval }
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
why-name-only = seule une partie du nom est connue
why-backport-base = un rétroportage dont la suite d'origine n'est pas dans les données
why-stream-unknown = le flux du module n'est pas connu
why-pseudo-version = un commit d'un module dont les versions ont d'autres numéros
why-several-versions = ce peut être plusieurs versions, et elles diffèrent
why-no-range = la fiche ne donne aucun intervalle
why-git-only = la fiche ne donne que des commits
why-free-text = la fiche donne les versions en texte libre
why-all-versions = la fiche ne nomme aucune version
why-unknown-range = la fiche a une sorte d'intervalle inconnue
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
