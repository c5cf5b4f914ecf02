### The live log. The emitted code is the key; arguments are in the alphabetical order
### of their names, numbers as plain digits.

# id, title
log-incident-opened = Incident ouvert : { $id }, { $title }
# id
log-incident-closed = Incident fermé : { $id }
# sites
log-dark-ordered = Extinction demandée pour { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
# milliseconds, sites
log-dark-proven = Extinction prouvée pour { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } en { NUMBER($milliseconds) } ms
# reason, site
log-dark-failed = { $site } n'est pas éteint : { $reason }
# reason, site
log-unknown = { $site } reste éteint : { $reason }
# site
log-clear = { $site } est hors de cause
# component, site
log-affected = { $site } est touché : { $component }
# site
log-fixing = { $site } : correctif en cours
# site
log-fix-deployed = { $site } : correctif déployé, vérification
# site
log-fix-verified = { $site } : correctif vérifié
# reason, site
log-verification-failed = { $site } : vérification échouée, { $reason }
# site
log-relit = { $site } est rallumé
# sites
log-relit-many = { NUMBER($sites) } { $sites ->
    [one] site rallumé
   *[other] sites rallumés
 }
# site
log-exposed = { $site } est touché et encore en ligne
# edge, site
log-drifted = Le frontal { $edge } a changé { $site } sans ordre; l'état voulu est rétabli
# edge, sites
log-proof-expired = Frontal { $edge } : { NUMBER($sites) } { $sites ->
    [one] site n'a pas été vu éteint depuis 15 s, exposé jusqu'à une nouvelle preuve
   *[other] sites n'ont pas été vus éteints depuis 15 s, exposés jusqu'à une nouvelle preuve
 }
# advisory, sites
log-advisory-revised = Avis { $advisory } révisé : { NUMBER($sites) } { $sites ->
    [one] site à réexaminer
   *[other] sites à réexaminer
 }
# advisory, affected, possible
log-notice-advisory = Nouvel avis { $advisory } : { NUMBER($affected) } { $affected ->
    [one] site touché
   *[other] sites touchés
 }, { NUMBER($possible) } peut-être
# advisory, affected, possible
log-notice-revised = Avis { $advisory } modifié : { NUMBER($affected) } { $affected ->
    [one] site touché
   *[other] sites touchés
 }, { NUMBER($possible) } peut-être
# advisory
log-notice-withdrawn = Avis { $advisory } retiré : il ne trouve plus rien; rien n’est rallumé pour cela
# advisory
log-notice-expired = Le jour de votre propre avis { $advisory } est venu : revoyez-le; il compte jusqu’à ce que quelqu’un le retire
# advisory
log-incident-proposed = Un incident est proposé : { $advisory }
# campaign, organisations, severity, sites
log-campaign = Une campagne est à l’échelon { $severity } : { $campaign }, chez { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } de { NUMBER($organisations) } { $organisations ->
    [one] organisme
   *[other] organismes
 }
# place
log-feed-refused = Inutilisable parmi les avis : { $place }
# id, left, open
log-waves-stopped = { $id } : le rallumage est fini, { NUMBER($left) } { $left ->
    [one] site reste éteint
   *[other] sites restent éteints
 }, { NUMBER($open) } { $open ->
    [one] n’est pas revenu
   *[other] ne sont pas revenus
 }
# id, sites
log-waves-held = { $id } : { NUMBER($sites) } { $sites ->
    [one] site n’a pas été rallumé
   *[other] sites n’ont pas été rallumés
 }, éteints pour un autre incident ou parce que ce qu’on en savait a changé
# id
log-waves-resumed = { $id } n’était pas arrivé à sa fin : il continue, ou prend fin s’il est trop ancien
# error
log-fixes-failed = Aucun correctif ne peut être vérifié : { $error }
# error
log-serve-failed = Une partie du travail du serveur n’est pas faite et sera reprise : { $error }
# error
log-waves-failed = Le rallumage n’a pas pu continuer : { $error }
# id, name, sites
log-plan-proposed = { $name } demande { $id } : { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
# id, name
log-plan-approved = { $name } approuve { $id }
# id, name, why
log-plan-refused = { $name } refuse { $id } : { $why }
# name, why
log-break-glass = Glace brisée par { $name } : { $why }
# name
log-glass-reviewed = La revue de la glace brisée est faite par { $name }
# name
log-update-published = { $name } a publié une mise à jour
log-clock-set-back = L’horloge a été reculée : ce qui était signé, demandé ou approuvé et échu le reste
log-restored = Le registre vient d’une copie plus ancienne : ce qui était su n’ouvre rien; analysez tous les sites
log-part-closing = { $part } : fermeture ordonnée
log-part-closed = { $part } : fermée; son site n’est pas éteint
log-part-opening = { $part } : en cours de réouverture
log-part-open = { $part } : rouverte
log-part-lost = { $part } : quelqu’un a changé sa barrière
log-part-failed = { $part } : pas fermée, son site est exposé
log-part-stopped = { $part } : pas vue ouverte à temps, refermée
log-held-back = { NUMBER($sites) } { $sites ->
    [one] site devrait être éteint
   *[other] sites devraient être éteints
 } selon la preuve la plus récente : protégés, hors d’atteinte d’un ordre, ou plus qu’il n’en peut être éteint sans ordre
