### The public page and the holding page. Nothing about a site that a visitor would not see.

public-title = État des services
public-sentence = { NUMBER($lit) } { $lit ->
    [one] service
   *[other] services
 } sur { NUMBER($total) } { $lit ->
    [one] est en ligne
   *[other] sont en ligne
 }.
public-sentence-dark = { NUMBER($dark) } { $dark ->
    [one] est hors ligne
   *[other] sont hors ligne
 } par précaution.
public-precaution = Par mesure de précaution, ces services sont temporairement hors ligne pendant que nous vérifions s'ils utilisent un logiciel vulnérable. Chacun sera remis en ligne dès que sa vérification sera terminée.
public-all-lit = Aucun service n'est hors ligne par précaution.
public-progress = { $share } des services sont en ligne
public-sectors = Par secteur
public-sector-count = { NUMBER($lit) } sur { NUMBER($total) } en ligne
public-update = Communiqué
public-column-service = Service
public-column-state = État
public-online = En ligne
public-offline = Hors ligne par précaution
public-updated = Mise à jour
public-utc = { $date }, { $time } UTC
public-data = Données ouvertes
public-back = Tous les secteurs
public-language = English

holding-title = Service temporairement hors ligne
holding-text = Par mesure de précaution, ce service est temporairement hors ligne pendant que nous vérifions s'il utilise un logiciel vulnérable. Il sera remis en ligne dès que la vérification sera terminée.
holding-retry = Réessayer
holding-updates = Prochaine mise à jour et état des services :
public-channel = Autres moyens de le joindre :
holding-channel = Pour nous joindre autrement :

public-alphabet = Services de A à Z
public-services = { NUMBER($count) } { $count ->
    [one] service
   *[other] services
 }
public-since = depuis { $since }
public-certificate = attestation d'interruption
public-history = Depuis 90 jours
public-history-all = Les { NUMBER($count) } périodes des 90 derniers jours
public-history-none = Aucun service n'a été hors ligne par précaution.
public-episode = Services hors ligne par précaution
public-episode-over = Tous les services sont de nouveau en ligne
public-monitoring = Tous les services sont de nouveau en ligne. Nous restons attentifs.
public-episode-open = Depuis le { $from }, { NUMBER($services) } { $services ->
    [one] service a été mis
   *[other] services ont été mis
 } hors ligne par précaution; certains le sont encore.
public-episode-closed = Du { $from } au { $to }, { NUMBER($services) } { $services ->
    [one] service a été mis
   *[other] services ont été mis
 } hors ligne par précaution. Tous sont revenus.
public-duration = { NUMBER($hours) } h { $minutes } min

certificate-title = Attestation d'interruption de service
certificate-text = Le service « { $service } » a été mis hors ligne par mesure de précaution. Les heures ci-dessous ont été constatées par sonde.
certificate-from = Début
certificate-to = Fin
certificate-duration = Durée
certificate-issuer = Émise par
certificate-signed = Cette attestation est signée; sa forme signée se vérifie avec la clé publiée :
public-find = Trouver un service par son nom
public-find-none = Aucun service n’a ces mots dans son nom.
public-find-more = Seuls les premiers sont montrés : précisez le nom.
public-find-online = en ligne
public-find-offline = hors ligne par précaution
public-find-failed = La liste ne peut pas être lue pour le moment. Les lettres ci-dessous mènent à chaque service.
# when
public-next = Prochaine mise à jour : { $when }.
