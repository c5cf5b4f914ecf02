### La démonstration : une province fictive, décembre 2021.

demo-act-settle = Écriture de { NUMBER($sites) } sites fictifs de { NUMBER($bodies) } organismes publics
demo-act-inventory = Prise de l’inventaire
demo-act-watch = Lecture de 60 jours de journaux
demo-act-stage = Démarrage des origines, du frontal et des visiteurs
demo-act-work = Analyse, réparation, rallumage
demo-watched = { NUMBER($lines) } lignes de journaux, { NUMBER($campaigns) } { $campaigns ->
    [one] campagne
   *[other] campagnes
 }
demo-slow-found = L’explorateur lent est { $source }. Une reconnaissance n’est pas un signe de compromission.
demo-slow-missed = L’explorateur lent { $source } n’a pas été trouvé.
demo-answered = { $question } : { NUMBER($affected) } sites touchés sur { NUMBER($total) }, { NUMBER($unknown) } inconnus, { NUMBER($clear) } hors de cause, en { NUMBER($micros) } µs
demo-dark = { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } : extinction demandée et prouvée en { NUMBER($milliseconds) } ms; les sites hors de cause n’ont pas été touchés
demo-progress = ● { NUMBER($online) } en ligne   ○ { NUMBER($dark) } éteints   ◆ { NUMBER($affected) } touchés   ◇ { NUMBER($fixing) } en correction   ▲ { NUMBER($verifying) } en vérification
demo-end-relit = Rallumés : { NUMBER($clear) } prouvés hors de cause par l’analyse, { NUMBER($fixed) } après un correctif vérifié
demo-end-dark = Encore éteints : { NUMBER($sites) } (archives que personne n’a pu lire; rien n’est rallumé au jugé)
demo-end-checks = Face à la vérité : { NUMBER($unsafe) } rallumages dangereux, { NUMBER($clear) } faux hors de cause, { NUMBER($missed) } manqués, { NUMBER($lost) } requêtes perdues sur les sites non visés, { NUMBER($leaked) } requêtes chez des origines éteintes après la preuve, sur { NUMBER($visits) } visites
demo-end-time = { $seconds } s en tout, { NUMBER($memory) } Mio au plus
demo-holds = Toutes les vérifications tiennent.
demo-fails = Une vérification ne tient pas.
demo-serving-console = Le mur de lumières : http://{ $address }/
demo-serving-public = La page publique : http://{ $address }/
demo-serving-stay = Ctrl-C met fin à la démonstration.
option-demo-sites = Nombre de sites, au plus 20 000
option-demo-seed = La graine dont tout découle
option-demo-edge = Le frontal devant les sites
option-demo-serve = Montrer le mur de lumières et la page publique dans le navigateur, jusqu’à Ctrl-C
option-demo-folder = Utiliser et garder ce dossier au lieu d’un dossier temporaire
option-demo-resume = Reprendre l’incident de --folder, dont le frontal et les origines tournent ailleurs
demo-folder-used = le dossier { $folder } contient une démonstration déjà jouée
demo-folder-used-remedy = nommer un dossier qui n’existe pas encore, ou supprimer celui-là : --folder DIR
demo-failed = la démonstration n’a pas pu être jouée
demo-failed-remedy = lire le détail; avec --folder DIR les fichiers restent consultables
option-demo-prepare = S’arrêter avant l’incident
