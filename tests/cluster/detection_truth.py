"""Which columns of three schemas are personal (GDPR article 4), decided by reading them.

`OPEN` are those of which good people think differently: an attribute that millions share, an
occupation, the artists of published records. They count neither for nor against.
"""

WEBSHOP = {
    "customers": "customer_no first_name last_name search_name company email phone birth_date"
    " last_ip preferences password_hash session_token",
    "addresses": "recipient street city postcode delivery_note",
    "staff": "first_name last_name email phone salary iban",
    "orders": "contact_email client_ip gift_message",
    "payments": "card_number card_holder iban",
    "support_tickets": "subject body contact_phone",
}
WEBSHOP_OPEN = {"addresses": "country", "staff": "job_title hired_on", "customers": "tags"}

CHINOOK = {
    "customer": "first_name last_name company address city state postal_code phone fax email",
    "employee": "first_name last_name birth_date address city state postal_code phone fax email",
    "invoice": "billing_address billing_city billing_state billing_postal_code",
}
CHINOOK_OPEN = {
    "customer": "country",
    "employee": "country title hire_date",
    "invoice": "billing_country",
    "artist": "name",
    "track": "composer",
}

HELD_OUT = {
    "patients": "nom prenom dateNaiss nss tel_domicile courriel adr_ligne1 cp ville"
    " medecin_traitant allergies groupe_sanguin",
    "consultations": "motif compte_rendu",
    "mitarbeiter": "vorname nachname geburtsdatum strasse hausnr plz ort handynr steuer_id"
    " kontonummer gehalt religion notfallKontakt bemerkung",
    "clientes": "nombre apellido1 apellido2 dni correo movil direccion localidad provincia"
    " codpostal fecha_nac",
    "alunos": "nome_completo apelido cpf telefone endereco bairro cidade cep nome_mae data_nasc",
    "User": "userName eMail mobileNumber dob pwdHash lastLoginIp userAgent avatarUrl displayName"
    " apiToken latitude longitude",
    "messages": "recipient_mail subject body",
    "applicants": "data field_1 field_2 extra cv",
    "audit_trail": "actor remote_addr",
    "invoices": "billing_name creditCardNo iban",
}
HELD_OUT_OPEN = {
    "patients": "mutuelle",
    "mitarbeiter": "eintritt personalnr",
    "alunos": "nota_media turma matricula",
    "User": "locale",
}


def columns(of):
    """The pairs (table, column)."""
    return {(table, column) for table, names in of.items() for column in names.split()}
