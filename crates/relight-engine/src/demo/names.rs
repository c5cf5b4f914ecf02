//! Names of the fictional province. Data, not messages: the demo's bodies are called like this in
//! both languages, as real bodies are.

/// A sector of the public service.
pub(super) struct Sector {
    /// Its code; the words for it are in the message catalogue.
    pub(super) code: &'static str,
    /// First part of the slugs of its sites.
    pub(super) short: &'static str,
    /// First words of the names of its bodies.
    pub(super) body: &'static str,
    /// How many of its bodies there are among others.
    pub(super) weight: u32,
}

const fn sector(
    code: &'static str,
    short: &'static str,
    body: &'static str,
    weight: u32,
) -> Sector {
    Sector { code, short, body, weight }
}

/// The 24 sectors, weighted as in the sketch of the wall.
pub(super) const SECTORS: [Sector; 24] = [
    sector("school-service-centres", "edu", "Centre de services scolaire", 61),
    sector("health", "san", "Réseau de santé", 52),
    sector("municipal", "mun", "Régie municipale", 44),
    sector("colleges-universities", "ens", "Collège", 33),
    sector("finance-revenue", "fin", "Agence des finances", 20),
    sector("justice", "jus", "Cour régionale", 18),
    sector("tourism", "tou", "Tourisme", 8),
    sector("energy", "nrj", "Énergie", 12),
    sector("labour-solidarity", "tra", "Bureau du travail", 16),
    sector("family", "fam", "Services à la famille", 14),
    sector("economy", "eco", "Développement économique", 13),
    sector("immigration", "imm", "Accueil et immigration", 8),
    sector("forests-parks", "for", "Forêts et parcs", 8),
    sector("environment", "env", "Environnement", 16),
    sector("transport", "trp", "Transports", 18),
    sector("public-safety", "sec", "Sécurité publique", 14),
    sector("housing", "log", "Office d'habitation", 10),
    sector("culture", "cul", "Maison de la culture", 18),
    sector("agriculture", "agr", "Agriculture", 12),
    sector("research", "rec", "Institut de recherche", 6),
    sector("registers", "reg", "Registre", 9),
    sector("archives", "arc", "Archives", 5),
    sector("statistics", "sta", "Institut de la statistique", 4),
    sector("digital-services", "num", "Services numériques", 3),
];

/// Fictional places.
pub(super) const BODY_NAMES: [&str; 61] = [
    "de l'Anse-aux-Lanternes",
    "de Bois-Clair",
    "de la Rive-Haute",
    "du Lac-aux-Lucioles",
    "de Port-Aurore",
    "de Val-Brillant-Neuf",
    "de la Côte-des-Phares",
    "du Grand-Fanal",
    "de Saint-Luminaire",
    "de Belle-Veillée",
    "des Trois-Chandelles",
    "de la Pointe-aux-Feux",
    "de Rivière-Ambrée",
    "du Mont-Lampion",
    "de Clairval-sur-Mer",
    "des Hautes-Braises",
    "de l'Île-aux-Falots",
    "de Roche-Dorée",
    "de Sainte-Étincelle",
    "du Vieux-Brûlot",
    "de la Baie-Tranquille",
    "de Fort-Réverbère",
    "des Quatre-Vents",
    "de Lune-d'Eau",
    "du Bassin-Nord",
    "de Grande-Clarté",
    "de l'Aube-Basse",
    "des Deux-Rivages",
    "de Pierre-Lueur",
    "de la Vallée-Blanche",
    "du Cap-Veilleur",
    "de Longue-Lumière",
    "de Notre-Dame-des-Feux",
    "du Ruisseau-Vif",
    "de Chute-au-Loup",
    "des Monts-Bleus",
    "de Petite-Lueur",
    "de l'Étang-Rond",
    "de Havre-Neuf",
    "du Marais-Doré",
    "de Haute-Lisière",
    "des Prairies-Hautes",
    "de Saint-Gaslin",
    "de la Montée-Rouge",
    "du Gué-Clair",
    "de Pont-Lanterne",
    "des Sept-Lampes",
    "de Bas-Rivage",
    "de la Savane",
    "du Phare-Vert",
    "de Lac-Miroir",
    "de Grand-Ormeau",
    "de l'Échangeur-Nord",
    "de Rive-d'Argent",
    "du Faubourg",
    "de Mille-Feux",
    "de Saint-Ambre",
    "des Cinq-Ponts",
    "de Combe-Noire",
    "de la Dune",
    "du Ciel-Haut",
];

/// Services, French and English.
pub(super) const SERVICES: [(&str, &str); 16] = [
    ("Prise de rendez-vous", "Appointments"),
    ("Inscription en ligne", "Online registration"),
    ("Paiement des droits", "Fee payment"),
    ("Portail citoyen", "Citizen portal"),
    ("Demande d'aide", "Benefit application"),
    ("Résultats d'examens", "Test results"),
    ("Permis et autorisations", "Permits and licences"),
    ("Consultation de dossiers", "File lookup"),
    ("Avis et communiqués", "Notices and releases"),
    ("Bibliothèque numérique", "Digital library"),
    ("Offres d'emploi", "Job postings"),
    ("Carte interactive", "Interactive map"),
    ("Formulaires", "Forms"),
    ("Espace des partenaires", "Partner space"),
    ("Données ouvertes", "Open data"),
    ("Calendrier des activités", "Activity calendar"),
];
