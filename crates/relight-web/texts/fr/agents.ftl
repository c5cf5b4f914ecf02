agents-title = Agents
agents-text = Un agent tourne sur une autre machine et se fait connaître par son propre certificat. Il dit qu’il est là, et ce qui se trouve sur ses sites (composants, endroits, condensés) quand un incident l’attend. Il écrit les barrières des frontaux que son administrateur a nommés sur cette machine, quand il demande ce qu’il y a à faire. Il n’envoie aucun fichier et n’accepte aucune commande.
agents-no-listener = Ce serveur n’écoute pas les agents : relight serve --agent-listen ADRESSE.
agents-column-organisation = Organisme
agents-column-host = Machine
agents-column-enrolled = Inscrit
agents-column-seen = Dernières nouvelles
agents-column-version = Version
# own, version
agents-version-other = { $version }, pas celle du serveur ({ $own })
agents-column-certificate = Certificat jusqu’au
agents-make-code = Créer un code
# minutes
agents-host-form = Minuscules, chiffres, points et traits d’union; * remplace n’importe quelle partie d’un nom. Un code vaut pour un seul agent, pendant { NUMBER($minutes) } { $minutes ->
    [one] minute
   *[other] minutes
 }.
agents-none = Aucun agent ne s’est inscrit.
agents-words = Machine ou organisme
agents-revoke = Révoquer
agents-revoked = révoqué { $at }
agents-ended = terminé { $at }
agents-code-title = Un code pour un agent
agents-code-shown = Avec ce code, un agent de { $organisation } s’inscrit sur { $host }, jusqu’au { $until }. Il n’est montré que cette fois; relight agent enrol --server https://… le demande sur cette machine.
agents-done-revoked = L’agent n’est plus admis.
# path
agents-no-key = la clé des certificats des agents est inutilisable : { $path }
agents-no-key-remedy = donnez le fichier à qui exécute relight, en mode 600; s’il manque, remettez-le : avec une autre clé, chaque agent doit s’inscrire à nouveau (documentation : agents)
agents-failed = rien n’a été fait pour les agents
agents-failed-remedy = faites de la place ou réparez le dossier de données, puis relancez la commande; relight agent list montre qui est admis
agents-refused-remedy = relight agent list montre qui est admis; les noms des organismes sont ceux de relight sites import

serve-agents = Agents : { $address }
agents-cannot-listen = les agents ne peuvent pas être écoutés sur { $address }
agents-cannot-listen-remedy = donnez à --agent-listen une adresse de cette machine que rien d’autre n’occupe

agent-not-enrolled = cette machine n’est pas inscrite
agent-not-enrolled-remedy = faites créer un code au serveur (page /agents, ou relight agent code), puis relight agent enrol --server URL --code CODE
agent-identity-remedy = s’il est abîmé, supprimez le fichier, faites révoquer l’agent au serveur et inscrivez-le à nouveau
# path
agent-known = cette machine est déjà inscrite : { $path }
agent-known-remedy = faites d’abord révoquer cet agent au serveur et supprimez { $path }
# path
agent-runs = un agent de ce dossier tourne déjà : { $path }
agent-runs-remedy = laissez faire celui-là, ou arrêtez-le d’abord (systemctl stop)
agent-ask = Code :
# host
agent-bad-host = « { $host } » n’est pas un nom de machine
agent-bad-host-remedy = donnez-en un avec --host : minuscules, chiffres, points et traits d’union
agent-enrolled = { $host } est inscrite dans { $organisation }, certificat jusqu’au { $expires }; elle envoie les composants, leurs endroits et leurs condensés; jamais le contenu de fichiers, ni de commandes du serveur
agent-in-touch = en contact avec { $server } pour { $organisation }
agent-is = { $host }, un agent de { $organisation } auprès de { $server }
agent-certificate-left = certificat jusqu’au { $expires }, encore { NUMBER($days) } { $days ->
    [one] jour
   *[other] jours
 }
agent-certificate-ended = le certificat a pris fin le { $expires } : inscrivez l’agent à nouveau
agent-last-contact = dernier contact : { $at }
agent-no-contact = aucun contact encore
agent-silent = rien n’interroge le serveur depuis trop longtemps
agent-silent-remedy = lancez relight agent run comme service, et voyez s’il n’est pas arrêté
agent-looks = regarde { $site }
# since, site
agent-looks-since = regarde { $site } depuis { $since }
agent-looks-late = après six heures le serveur ne prend plus de réponse : voyez si le disque de ce dossier ne répond plus, puis relancez l’agent
agent-fault-since = depuis { $since } : { $what }

# path
agent-bad-file = le fichier de cet agent est inutilisable : { $path }
agent-bad-file-remedy = écrivez [sites] et au-dessous SITE = "/chemin/complet", pour 256 sites au plus, et [edges.NOM] avec kind, gate et listen pour chaque frontal de cette machine
# most
agent-file-many = il y a plus de { NUMBER($most) } sites
# site
agent-file-no-name = « { $site } » n’est pas le nom court d’un site
# folder, site
agent-file-no-path = { $site } : { $folder } n’est pas un chemin complet
# name, kind, known
agent-edge-no-kind = { $name } : un agent ne pilote pas de frontal de genre { $kind }, mais { $known }
# name, setting
agent-edge-no-setting = { $name } : le réglage { $setting } manque dans [edges.{ $name }.set]
# most
agent-edges-many = plus de { NUMBER($most) } frontaux
# name
agent-edge-no-name = « { $name } » n’est pas le nom d’un frontal
# name, gate
agent-edge-same-gate = { $name } : un autre frontal a la barrière { $gate }
# edge
agent-edge-driven = frontal { $edge } : sa barrière est écrite ici, comme le serveur le dit
agent-edge-trouble = le frontal n’a pas fait ce qui lui était demandé : ses sites comptent comme exposés
agent-edge-trouble-remedy = voyez ce qui l’empêche sur cette machine : le dossier de la barrière, son propriétaire, les réglages du frontal dans agent.toml
# path, sites
agent-file-again = { $path } relu : { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
agent-file-stays = ce qu’il disait avant reste en vigueur
# path
agent-empty-folder = { $path } ne contient aucun fichier, donc rien n’a été envoyé : un dossier vide serait exempt de tout
agent-empty-folder-remedy = voyez si le disque est monté et si le chemin est juste
agent-foreign = ce site n’est pas à cet agent au serveur : personne ne le demande
agent-foreign-remedy = il est d’un autre organisme, n’est pas au registre, ou un autre agent l’a : retirez-le de l’agent.toml de là-bas
# components, site, unread
agent-sent = { $site } : { NUMBER($components) } { $components ->
    [one] composant envoyé
   *[other] composants envoyés
 }, { NUMBER($unread) } { $unread ->
    [one] endroit non lu
   *[other] endroits non lus
 }

agent-fault-remedy = relight agent status dit où en est l’agent
agent-fault-bad-address = l’adresse du serveur n’en est pas une
agent-fault-bad-address-remedy = écrivez https://NOM, avec :PORT si ce n’est pas 8422
agent-fault-bad-code = ce n’est pas un code
agent-fault-bad-code-remedy = copiez-en les dix groupes
agent-fault-unreachable = le serveur ne répond pas
agent-fault-unreachable-remedy = voyez s’il tourne avec --agent-listen, et si cette machine peut atteindre ce port
agent-fault-timed-out = le serveur n’a pas répondu à temps
agent-fault-timed-out-remedy = voyez ce qui l’occupe, ou ce qui se trouve entre les deux
agent-fault-stopped = l’agent a été arrêté avant d’avoir terminé
agent-fault-stopped-remedy = lancez-le à nouveau
agent-fault-other-server = ce qui répond là n’est pas le serveur que cet agent connaît
agent-fault-other-server-remedy = vérifiez l’adresse; ce qui se trouve entre les deux doit laisser passer TLS sans l’ouvrir. Un serveur qui a une autre clé demande un autre code
agent-fault-clock = l’horloge de cette machine est fausse : selon elle, le certificat du serveur ne vaut pas
agent-fault-clock-remedy = réglez l’horloge
agent-fault-answer = le serveur a répondu ce qu’aucun serveur d’agents ne dit
agent-fault-disk = l’identité de cette machine n’a pas pu être écrite; le certificat que le serveur a donné est perdu
agent-fault-disk-remedy = faites de la place, ou donnez à --data un dossier de qui exécute l’agent; une nouvelle inscription demande un autre code
agent-fault-not-writable = l’identité de cette machine ne peut pas être écrite : le certificat suivant n’est pas demandé, et celui-ci prendra fin
agent-fault-not-writable-remedy = faites de la place, ou donnez le dossier de données de l’agent à qui l’exécute
agent-fault-failed = cela n’a pas fonctionné
agent-fault-server-failed = le serveur n’a pas pu le faire : quelque chose y a échoué
agent-fault-server-failed-remedy = voyez au serveur : relight doctor dit si son disque est plein ou si son registre ne peut pas être écrit
agent-fault-not-due = ce n’est pas encore le moment du certificat suivant
agent-fault-malformed = le serveur ne comprend pas cet agent
agent-fault-malformed-remedy = installez la version du serveur
agent-fault-code-unknown = le serveur ne connaît pas ce code : il a servi, a plus de dix minutes, ou fut mal tapé
agent-fault-code-unknown-remedy = faites-en créer un autre
agent-fault-bad-proof = le serveur ne croit pas que cette clé est la nôtre
agent-fault-bad-proof-remedy = inscrivez l’agent à nouveau avec un autre code
agent-fault-host-not-allowed = le code n’est pas pour une machine de ce nom
agent-fault-host-not-allowed-remedy = inscrivez-la avec --host NOM, ou faites créer un code pour celle-ci
agent-fault-host-taken = un autre agent de l’organisme est admis sous le nom de cette machine
agent-fault-host-taken-remedy = faites-le d’abord révoquer au serveur, ou donnez un autre --host
agent-fault-too-many-trials = plus de cinq codes qui n’en sont pas ont été essayés d’ici en une minute
agent-fault-too-many-trials-remedy = attendez une minute
agent-fault-too-many-agents = le serveur n’admet plus d’agents
agent-fault-too-many-agents-remedy = faites révoquer ceux qui ne servent plus
agent-fault-no-organisation = l’organisme de l’agent n’est plus dans le registre
agent-fault-too-many-sites = le fichier de cet agent nomme plus de 256 sites
agent-fault-too-many-sites-remedy = les répartir entre des agents de cette machine qui ont chacun leur dossier de données et leur nom (enrol --host)
agent-fault-not-asked = le serveur ne demande plus cet inventaire : le prochain est envoyé à sa place
agent-fault-not-asked-remedy = rien à faire
agent-fault-not-an-inventory = le serveur n’a pas pu déchiffrer l’inventaire
agent-fault-not-an-inventory-remedy = installez la version du serveur
agent-fault-busy = le serveur reçoit autre chose en ce moment; l’envoi est refait
agent-fault-busy-remedy = rien à faire
agent-fault-not-let-in = le serveur n’admet plus cet agent : il fut révoqué, ou son certificat a pris fin
agent-fault-not-let-in-remedy = demandez d’abord au serveur (page /agents, ou relight agent list) : s’il y est révoqué ou terminé et doit être admis, supprimez ici agent.identity et inscrivez-le avec un autre code
agent-fault-foreign-edge = au serveur, ce frontal n’est pas celui de cet agent : rien n’est fait à sa barrière
agent-fault-foreign-edge-remedy = au serveur, relight edge list dit à qui il est; relight edge add agent --name FRONTAL --agent NUMÉRO --listen ADRESSE nomme celui-ci (relight agent status dit son numéro)

door-refused-bad-host = Le nom d’une machine a des minuscules, des chiffres, des points et des traits d’union; * en remplace n’importe quelle partie.
door-refused-no-organisation = Aucun organisme ne porte ce nom.
door-refused-too-many-codes = Mille codes attendent de servir. Ils disparaissent en dix minutes.
