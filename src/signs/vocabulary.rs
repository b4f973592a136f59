//! The words that columns and tables are called by, in English, French, German, Spanish and
//! Portuguese, without accents: phrases parted by `|`, their words by spaces.

use super::Category;
use super::Category::*;

/// Where a phrase means what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// In every table.
    Any,
    /// In a table about persons.
    People,
    /// Where the table shows a person or an address.
    Places,
    /// In every table but one about things.
    NotThings,
}

/// Phrases that mean one category.
pub struct Sign {
    /// What they mean.
    pub category: Category,
    /// How surely, in hundredths.
    pub strength: u8,
    /// Where.
    pub within: Within,
    /// The phrases.
    pub phrases: &'static str,
}

const fn sign(category: Category, strength: u8, within: Within, phrases: &'static str) -> Sign {
    Sign {
        category,
        strength,
        within,
        phrases,
    }
}

/// The phrases of columns.
#[rustfmt::skip]
pub const SIGNS: &[Sign] = &[
    sign(Email, 95, Within::Any, "email|emails|courriel|correo|correo electronico|email address|adresse email|mail address|courrier electronique|emailadresse"),
    sign(Email, 80, Within::NotThings, "mail|mel|recipient mail"),
    sign(Phone, 92, Within::Any, "phone|phones|telephone|telefon|telefono|telefone|phone number|mobile|mobile number|mobile phone|cell phone|cellphone|handy|handynummer|movil|celular|telemovel|portable|fax|fax number|telefax|tel|tel fixe|gsm|whatsapp|msisdn|rufnummer|mobil|telefonnummer|fono"),
    sign(Phone, 75, Within::People, "mob|cell|tlf|tfno|landline|extension phone|festnetz"),
    sign(GivenName, 95, Within::Any, "first name|firstname|fname|given name|forename|prenom|prenoms|vorname|vornamen|rufname|primer nombre|primeiro nome|middle name|second name|nombre pila|prenome|nombres"),
    sign(FamilyName, 95, Within::Any, "last name|lastname|lname|surname|surnames|family name|familyname|nachname|familienname|apellido|apellidos|sobrenome|maiden name|birth name|geburtsname|nom famille|nom usage|nom naissance|nom jeune fille|primer apellido|segundo apellido|zuname|sobrenomes"),
    sign(FamilyName, 85, Within::People, "nom"),
    sign(PersonName, 92, Within::Any, "full name|fullname|person name|customer name|client name|contact name|user real name|real name|nome completo|nombre completo|nom complet|vollstandiger name|holder name|cardholder|card holder|account holder|holder|titulaire|titular|kontoinhaber|inhaber|recipient|recipient name|destinataire|destinatario|empfanger|empfaenger|billing name|shipping name|delivery name|addressee|passenger name|patient name|employee name|student name|guest name|author name|sender name|receiver name|consignee|display name|nom client|nom prenom|nom patient|nombre cliente|nome cliente|kundenname|name kunde|ansprechpartner|next of kin|emergency contact|notfallkontakt|contacto emergencia|contact urgence|contato emergencia|spouse|conjoint|conjuge|ehepartner|mother|father|nome mae|nome pai|nombre madre|nombre padre|nom mere|nom pere|mae|medecin traitant|medecin|hausarzt|guardian|beneficiary|beneficiaire|payee|signatory|legal name|owner name|driver name|search name|kin"),
    sign(PersonName, 85, Within::People, "name|nome|nombre|names|contact|contact person|physician|doctor|arzt|interlocuteur|nickname|apelido|alias"),
    sign(PersonName, 70, Within::NotThings, "actor|author|auteur|autor|reviewer|assignee|signed by|signature|attendee|interviewer|commenter"),
    sign(Username, 90, Within::Any, "user name|username|login|login name|screen name|nom utilisateur|benutzername|nombre usuario|nome usuario|identifiant|usuario login|handle|pseudo|pseudonyme|skype|skype id|twitter|twitter handle|instagram|telegram|linkedin|facebook"),
    sign(BirthDate, 97, Within::Any, "dob|birth date|birthdate|date of birth|birthday|birth day|geburtsdatum|geburtstag|geb dat|geb datum|gebdat|geboren|date naissance|date naiss|naissance|ne le|nee le|fecha nacimiento|fecha nac|fec nac|fnac|nacimiento|data nascimento|data nasc|dt nasc|nascimento|birth year|year of birth|yob|annee naissance|geburtsjahr|born|born on|born at|date de naissance|fecha de nacimiento|data de nascimento"),
    sign(Trait, 80, Within::People, "age|alter|edad|idade|place of birth|birth place|birthplace|lieu naissance|geburtsort|lugar nacimiento|nationality|nationalite|staatsangehorigkeit|nacionalidad|nacionalidade|marital status|etat civil|situation familiale|familienstand|estado civil|citizenship|children count|number of children"),
    sign(Gender, 85, Within::People, "gender|sex|sexe|sexo|genre|geschlecht|genero|civilite|anrede|salutation|pronoun|pronouns"),
    sign(Address, 92, Within::NotThings, "street|street name|street address|address|addr|address line|adresse|adr|adr ligne|adresse ligne|strasse|str|anschrift|hausnummer|hausnr|haus nr|house number|house no|hnr|rue|voie|numero voie|calle|direccion|domicilio|rua|endereco|logradouro|morada|billing address|shipping address|delivery address|home address|postal address|complement|complement adresse|apartment|adresszusatz|bairro|colonia|barrio|complemento|street no|mailing address|residence|wohnort"),
    sign(City, 85, Within::Places, "city|town|ville|commune|ort|stadt|wohnort|ciudad|localidad|poblacion|cidade|localidade|municipio|billing city|shipping city|city name|suburb|gemeinde"),
    sign(Region, 72, Within::Places, "state|province|region|county|provincia|bundesland|departement|estado|uf|billing state|shipping state|state province|distrito"),
    sign(PostalCode, 88, Within::Places, "zip|zip code|zipcode|post code|postcode|postal code|postalcode|postal|code postal|codepostal|cp|plz|postleitzahl|codigo postal|codpostal|cod postal|cep|billing zip|billing postal code|npa"),
    sign(Geo, 80, Within::NotThings, "latitude|longitude|lat|lon|lng|long|geo|geolocation|coordinates|coordonnees|coords|gps|location point|position gps|latitud|longitud|breitengrad|langengrad"),
    sign(NationalId, 95, Within::Any, "ssn|social security|social security number|nino|national id|national insurance|national insurance number|nir|nss|numero securite sociale|num secu|secu|securite sociale|no secu|dni|nif|nie|cif nif|cedula|curp|rfc|cpf|rg|bsn|pesel|tax id|tax number|tin|steuer id|steuernummer|steuer nr|steueridentifikationsnummer|sozialversicherungsnummer|sv nummer|svnr|sozvers nr|versichertennummer|passport|passport number|passport no|passeport|pasaporte|passaporte|reisepass|ausweisnummer|ausweis nr|ausweis|identity card|id card|id number|carte identite|numero identite|documento identidad|nhs number|nhs|medicare number|driver license|drivers license|driver licence|license number person|permis conduire|fuhrerschein|licencia conducir|cnh|aadhaar|pan number|codice fiscale|personal number|personnummer|kvnr|krankenversichertennummer"),
    sign(NationalId, 60, Within::People, "license no|licence no|license number|vat number|document number|documento|num doc"),
    sign(Iban, 97, Within::Any, "iban"),
    sign(BankAccount, 92, Within::Any, "bank account|account iban|kontonummer|konto nr|konto nummer|bankverbindung|compte bancaire|numero compte|rib|cuenta bancaria|numero cuenta|cuenta corriente|conta bancaria|conta corrente|bank account number|routing number|sort code|ccc|clabe"),
    sign(CreditCard, 95, Within::Any, "credit card|credit card number|credit card no|card number|card no|cardnumber|creditcard|cc number|cc no|cc num|ccnum|carte bancaire|numero carte|kreditkarte|kreditkartennummer|kartennummer|tarjeta credito|numero tarjeta|tarjeta|cartao credito|numero cartao|cartao|pan|cvv|cvc|cvv code|debit card"),
    sign(Ip, 92, Within::Any, "ip|ip address|ip addr|ip adresse|adresse ip|direccion ip|last ip|client ip|remote ip|remote addr|remote address|source ip|login ip|ipv|ip v|endereco ip|ip hash"),
    sign(Mac, 88, Within::Any, "mac address|mac addr|mac|adresse mac|bluetooth address"),
    sign(Device, 82, Within::Any, "user agent|useragent|browser agent|device id|device identifier|imei|imsi|advertising id|idfa|gaid|device fingerprint|browser fingerprint|push token|fcm token|apns token|cookie|cookie id|visitor id|tracking id|device token|cookies"),
    sign(Secret, 92, Within::Any, "password|passwd|pwd|pass|passwort|kennwort|mot de passe|mot passe|mdp|contrasena|clave acceso|senha|palavra passe|password hash|pwd hash|pass hash|password digest|encrypted password|password salt|secret|api key|apikey|api token|access token|refresh token|auth token|session token|session id|reset token|token hash|remember token|private key|otp secret|totp secret|mfa secret|security answer|secret answer|reset password token|confirmation token|recovery code|recovery codes|pin code|pin hash|credentials|bearer token|oauth token|invitation token|verification token|activation key|session key"),
    sign(Secret, 70, Within::People, "pin|token|salt|hash"),
    sign(Company, 70, Within::People, "company|company name|employer|firma|firmenname|unternehmen|arbeitgeber|societe|entreprise|raison sociale|employeur|empresa|razon social|razao social|organisation|organization|business name|organisation name|organization name|companyname"),
    sign(Salary, 85, Within::Any, "salary|salaire|gehalt|lohn|salario|sueldo|wage|wages|remuneration|income|revenu|einkommen|ingresos|renda|vencimento|payroll amount|base pay|annual salary|monthly salary|nettogehalt|bruttogehalt|salaire brut|salaire net"),
    sign(Health, 90, Within::NotThings, "diagnosis|diagnoses|diagnostic|diagnose|diagnostico|allergy|allergies|allergie|allergien|alergia|alergias|blood type|blood group|groupe sanguin|blutgruppe|grupo sanguineo|tipo sanguineo|medication|medications|medicament|medikation|medikamente|medicacion|medicacao|treatment|traitement|behandlung|tratamiento|tratamento|symptom|symptoms|symptomes|symptome|sintomas|disability|handicap|behinderung|discapacidad|deficiencia|health|sante|gesundheit|salud|saude|medical|medical history|antecedents|anamnese|anamnesis|pregnant|pregnancy|icd|icd code|disease|maladie|krankheit|enfermedad|doenca|vaccination|vaccin|impfung|sick leave|krankmeldung|bmi|body weight|hiv|genetic|dna"),
    sign(Belief, 90, Within::Any, "religion|religious belief|confession|konfession|religiao|ethnicity|ethnic origin|ethnie|race ethnicity|etnia|raza|herkunft|political opinion|political party|parti politique|partei|trade union|union member|syndicat|gewerkschaft|sindicato|sexual orientation|orientation sexuelle|criminal record|casier judiciaire|vorstrafen"),
    sign(FreeText, 72, Within::NotThings, "note|notes|comment|comments|commentaire|commentaires|remark|remarks|remarque|remarques|bemerkung|bemerkungen|notiz|notizen|kommentar|anmerkung|anmerkungen|observation|observations|observacion|observaciones|observacao|observacoes|comentario|comentarios|nota|notas|memo|message|nachricht|mensaje|mensagem|body|message body|content|contenu|inhalt|subject|objet|betreff|asunto|assunto|feedback|review text|compte rendu|motif|motivo|anliegen|grund|free text|freetext|freitext|texte libre|texto libre|delivery note|gift message|delivery instructions|instructions|transcript|chat text|about me|bio|biography|biographie|biografia|complaint|plainte|beschwerde|queja|reason text|answer text|testimonial|narrative|report text|case notes|internal notes|vermerk"),
    sign(FreeText, 66, Within::People, "description|beschreibung|descripcion|descricao|about|details|title text|summary|resume text|profile text|info|hobbies|interests"),
    sign(Url, 75, Within::Any, "avatar url|avatar|profile url|profile picture|profile picture url|photo url|picture url|homepage|personal website|linkedin url|facebook url|gravatar|profile image|profile photo|photo profil|foto perfil"),
    sign(Url, 60, Within::People, "website|site web|webseite|sitio web|web|url|image url|photo|picture|foto|bild"),
    sign(Attachment, 75, Within::NotThings, "photo|picture|image|avatar|foto|bild|imagen|imagem|signature|unterschrift|firma digital|fingerprint|empreinte|fingerabdruck|huella|face|biometric|biometrics|cv|resume|lebenslauf|curriculum|scan|passport scan|id scan|voice|recording|attachment|document"),
    sign(Document, 55, Within::People, "data|preferences|profile|settings|contact|contacts|contact info|details|attributes|metadata|meta|extra|payload|properties|custom fields|address|addresses|info|answers|raw"),
    sign(Document, 50, Within::NotThings, "profile|contact|contacts|contact info|address|addresses|customer|user|client|kunde|person|answers|personal data"),
    sign(AccountNumber, 70, Within::People, "customer no|customer number|customer code|client no|client number|client code|account no|account number|member no|member number|membership number|membership no|member code|kundennummer|kunden nr|mitgliedsnummer|mitglied nr|personalnummer|personal nr|personalnr|matrikelnummer|numero client|num client|numero adherent|numero cliente|num cliente|numero socio|loyalty number|loyalty card|insurance number|policy number|versicherungsnummer|numero assure|employee no|employee number|employee code|staff no|badge no|badge number|student number|student no|matricule|frequent flyer|legajo"),
];

/// What tables about persons are called.
pub const PEOPLE: &str = "customer|client|user|person|people|employee|staff|member|patient|student|pupil|teacher|doctor|physician|nurse|contact|lead|applicant|candidate|guest|visitor|tenant|owner|subscriber|donor|voter|citizen|passenger|driver|participant|beneficiary|attendee|worker|agent|buyer|recipient|individual|resident|household|crew|player|child|children|parent|prospect|party|human|personnel|author|witness|borrower|insured|policyholder|signup|registrant|respondent|referee|volunteer|trainer|instructor|professor|colleague|friend|account holder\
|utilisateur|personne|employe|salarie|eleve|etudiant|enseignant|medecin|adherent|membre|abonne|locataire|candidat|assure|beneficiaire|participant|usager|proprietaire|collaborateur|visiteur|benevole\
|kunde|kunden|benutzer|nutzer|mitarbeiter|angestellte|schuler|schueler|studierende|lehrer|arzt|aerzte|arzte|kontakt|mitglied|mitglieder|mieter|bewerber|versicherte|teilnehmer|anwender|eigentumer|fahrer|leute|bewohner|personal|ansprechpartner\
|cliente|usuario|persona|empleado|paciente|alumno|estudiante|profesor|medico|contacto|socio|miembro|inquilino|candidato|propietario|trabajador|conductor\
|utilizador|pessoa|funcionario|colaborador|aluno|estudante|professora|contato|membro|inquilino|trabalhador|motorista";

/// What tables about things are called.
pub const THINGS: &str = "product|item|sku|category|categories|article|country|countries|currency|currencies|status|statuses|type|types|kind|warehouse|store|shop|department|division|role|permission|setting|config|configuration|template|rule|firewall|file|page|menu|genre|album|track|media|playlist|brand|tag|label|language|tax|rate|price|plan|feature|flag|migration|host|network|port|material|part|vehicle|car|course|discipline|room|building|station|airport|option|parameter|translation|locale|timezone|unit|metric|version|release|job|queue|cron|schema|table|column|domain|queue|inventory|stock|catalog|catalogue|color|colour|size|movie|film|book|song|campaign|coupon|discount|promotion|carrier|supplier catalog|region|zone|hotel|restaurant|dish|recipe|ingredient|server|package|module|plugin|script|segment|lookup|enum|class|subject area|skill|holiday|calendar|channel|topic|tool|equipment|asset|machine|sensor|firmware|model\
|produit|categorie|pays|entrepot|service|parametre|modele|article|boutique|magasin|matiere|salle|langue|devise|reglage|droit|taux\
|produkt|produkte|artikel|kategorie|kategorien|land|laender|lander|lager|abteilung|abteilungen|rolle|rollen|einstellung|einstellungen|vorlage|vorlagen|fach|facher|raum|wahrung|sprache|preis|steuersatz|gerat|maschine|filiale\
|producto|categoria|pais|paises|almacen|departamento|ajuste|plantilla|asignatura|idioma|moneda|precio|tienda|materia|sala|articulo\
|produto|armazem|configuracao|modelo|disciplina|loja|moeda|lingua|sala|artigo|estoque";

/// What tables are called whose rows name an address.
pub const PLACES: &str = "address|addresses|adresse|adressen|direccion|direcciones|endereco|enderecos|shipping|delivery|delivery address|livraison|lieferung|envio|billing|shipment|location history|domicile";

/// Words behind or before a phrase that make it something about the thing, not the thing.
pub const DENIALS: &str = "count|type|types|status|format|template|verified|confirmed|valid|validated|enabled|allowed|denied|blocked|prefix|suffix|provider|host|port|server|limit|max|min|length|size|field|column|label|opt|optin|sent|bounce|bounced|flag|kind|mode|category|class|channel|rule|regex|pattern|mask|policy|version|sort|order|rank|score|index|expires|expiry|required|visible|is|has|can|nb|nbr|anzahl|template|subnet|netmask|gateway|range|dns|smtp|imap|strength|attempts|retries|rate|currency|timezone|encoding|charset|icon|color|colour|alt|mime|width|height|schema|table|file|filename|path|directory|folder|extension|event|product|category|brand|model|plan|role|group|team|department|queue|job|task|tag|topic|project|page|menu|button|method|event|key|bucket|cluster|node|service|module|class|function|variable|param|parameter|config|setting|domain|language|country|document|object|item|article|artikel|produkt|produit|producto|produto|datei|fichier|archivo|arquivo|store|shop|warehouse|hotel|course|playlist|album|track|genre|media|airport|station|color|unit|metric|ticket|campaign|coupon|store|report|code|cache|typ|statut|estado|tipo|etat";

/// Words around a phrase that change nothing; they only help to take compounds apart.
const NEUTRAL: &str = "id|nr|no|num|number|nummer|numero|last|first|old|new|home|work|private|date|of|de|la|le|des|the|primary|secondary|main|alt|alternate|billing|shipping|delivery|user|customer|client|kunde|kunden|contact|person|personal|code|line|ligne|linha|linea|address|at|on|by|to|from|konto|haus|geburts|telefon|handy|post|datum|fecha|data|fec|nac|nasc|naiss|cust|emp|acct|usr|business|office|other|full|hash|hashed|encrypted|raw|plain|clean|normalized|lower|upper|canonical|original|current|previous|temp|temporary|emergency|sender|receiver|recipient|from|to|cc|bcc|reply|remote|source|login|signup|created|updated|parent|child|spouse|mother|father|name|vor|nach|familien|firma|url|web|site|strasse|stadt|ort|land";

/// Every word there is.
pub fn words() -> impl Iterator<Item = &'static str> {
    SIGNS
        .iter()
        .map(|sign| sign.phrases)
        .chain([PEOPLE, THINGS, PLACES, DENIALS, NEUTRAL])
        .flat_map(|phrases| phrases.split(['|', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vocabulary_is_in_small_ascii_letters() {
        for word in words() {
            assert!(!word.is_empty());
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
        }
    }

    #[test]
    fn vocabulary_has_signs_of_every_category() {
        for category in Category::ALL {
            assert!(
                SIGNS.iter().any(|sign| sign.category == category),
                "{category:?}"
            );
        }
    }
}
