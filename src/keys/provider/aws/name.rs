//! Names of KMS keys: of the setting, and of the table, which is not trusted.

use super::endpoint::is_region;

/// A key by its full name: `arn:aws:kms:eu-west-1:111122223333:key/ID`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyArn {
    partition: String,
    /// The region the key is in.
    pub(super) region: String,
    /// The account it belongs to.
    pub(super) account: String,
    /// Its own name.
    pub(super) id: String,
}

impl KeyArn {
    /// Reads one; `None` for what has another form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (arn, resource) = Arn::parse(text)?;
        let id = resource.strip_prefix("key/")?;
        is_id(id).then(|| Self {
            partition: arn.partition.to_owned(),
            region: arn.region.to_owned(),
            account: arn.account.to_owned(),
            id: id.to_owned(),
        })
    }

    /// The same multi-Region key in another region; `None` for a key that has no others.
    pub(super) fn replica(&self, region: &str) -> Option<Self> {
        self.id.starts_with("mrk-").then(|| Self {
            region: region.to_owned(),
            ..self.clone()
        })
    }

    /// The name as text.
    pub(super) fn text(&self) -> String {
        format!(
            "arn:{}:kms:{}:{}:key/{}",
            self.partition, self.region, self.account, self.id
        )
    }
}

/// What the setting calls the key, with what that says of its full name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyName {
    /// As set.
    pub(super) text: String,
    region: Option<String>,
    /// The account, where it is an ARN.
    pub(super) account: Option<String>,
    id: Option<String>,
}

impl KeyName {
    /// Reads an id, the ARN of a key, an alias or the ARN of an alias; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (arn, resource) = match Arn::parse(text) {
            Some((arn, resource)) => (Some(arn), resource),
            None => (None, text),
        };
        let id = match (
            resource.strip_prefix("alias/"),
            resource.strip_prefix("key/"),
        ) {
            (Some(alias), _) if is_alias(alias) => None,
            (None, Some(id)) if arn.is_some() && is_id(id) => Some(id),
            (None, None) if arn.is_none() && is_id(resource) => Some(resource),
            _ => return None,
        };
        Some(Self {
            text: text.to_owned(),
            region: arn.map(|arn| arn.region.to_owned()),
            account: arn.map(|arn| arn.account.to_owned()),
            id: id.map(str::to_owned),
        })
    }

    /// Whether this may be a name of that key, as far as it says.
    pub(super) fn fits(&self, arn: &KeyArn) -> bool {
        let fits = |own: &Option<String>, its: &str| own.as_ref().is_none_or(|own| own == its);
        fits(&self.region, &arn.region)
            && fits(&self.account, &arn.account)
            && fits(&self.id, &arn.id)
    }

    /// Whether it is one of a key in that region.
    pub(super) fn is_in(&self, region: &str) -> bool {
        self.region.as_ref().is_none_or(|own| own == region)
    }
}

#[derive(Clone, Copy)]
struct Arn<'a> {
    partition: &'a str,
    region: &'a str,
    account: &'a str,
}

impl<'a> Arn<'a> {
    fn parse(text: &'a str) -> Option<(Self, &'a str)> {
        let mut words = text.splitn(6, ':');
        let mut next = || words.next();
        let (arn, partition, service) = (next()?, next()?, next()?);
        let (region, account, resource) = (next()?, next()?, next()?);
        let plain = |c: u8| c.is_ascii_lowercase() || c == b'-';
        let fits = text.len() <= 512
            && arn == "arn"
            && (partition == "aws" || partition.starts_with("aws-"))
            && partition.len() <= 16
            && partition.bytes().all(plain)
            && service == "kms"
            && is_region(region)
            && account.len() == 12
            && account.bytes().all(|c| c.is_ascii_digit());
        let arn = Self {
            partition,
            region,
            account,
        };
        fits.then_some((arn, resource))
    }
}

/// A UUID, or `mrk-` and 32 digits.
fn is_id(text: &str) -> bool {
    let hexadecimal = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    match text.strip_prefix("mrk-") {
        Some(digits) => digits.len() == 32 && digits.bytes().all(hexadecimal),
        None => {
            text.len() == 36
                && text.bytes().enumerate().all(|(at, c)| match at {
                    8 | 13 | 18 | 23 => c == b'-',
                    _ => hexadecimal(c),
                })
        }
    }
}

fn is_alias(text: &str) -> bool {
    let fits = |c: u8| c.is_ascii_alphanumeric() || b"/_-".contains(&c);
    (1..=250).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
    const MRK: &str = "mrk-1234abcd12ab34cd56ef1234567890ab";

    fn arn(region: &str, id: &str) -> String {
        format!("arn:aws:kms:{region}:111122223333:key/{id}")
    }

    #[test]
    fn names_of_keys_are_read_and_written() {
        for text in [
            arn("eu-west-1", ID),
            arn("eu-west-1", MRK),
            format!("arn:aws-us-gov:kms:us-gov-east-1:111122223333:key/{ID}"),
        ] {
            assert_eq!(KeyArn::parse(&text).unwrap().text(), text);
        }
        let key = KeyArn::parse(&arn("eu-west-1", MRK)).unwrap();
        assert_eq!(
            key.replica("us-east-1").unwrap().text(),
            arn("us-east-1", MRK)
        );
        assert_eq!(
            KeyArn::parse(&arn("eu-west-1", ID))
                .unwrap()
                .replica("us-east-1"),
            None
        );
    }

    #[test]
    fn names_of_another_form_are_refused() {
        let good = arn("eu-west-1", ID);
        for bad in [
            "",
            "arn:aws:kms:eu-west-1:111122223333:alias/x",
            "arn:aws:kms:evil.example/#-w-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:evil:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:s3:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms:eu-west-1:11112222333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890a\"",
            "arn:aws:kms:eu-west-1:111122223333:key/",
            ID,
        ] {
            assert_eq!(KeyArn::parse(bad), None, "{bad}");
        }
        for at in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[at] = b'"';
            assert_eq!(KeyArn::parse(std::str::from_utf8(&bytes).unwrap()), None);
        }
        for bad in [
            "",
            "alias/",
            "alias/a b",
            "alias/\"",
            "key/x",
            "confiture",
            "arn:aws:kms",
        ] {
            assert_eq!(KeyName::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn names_of_the_setting_fit_the_keys_they_may_mean() {
        let key = KeyArn::parse(&arn("eu-west-1", ID)).unwrap();
        for name in ["alias/confiture", ID, &arn("eu-west-1", ID)] {
            assert!(KeyName::parse(name).unwrap().fits(&key), "{name}");
        }
        for name in [
            arn("eu-west-2", ID),
            arn("eu-west-1", MRK),
            MRK.to_owned(),
            "arn:aws:kms:eu-west-1:999922223333:alias/confiture".to_owned(),
        ] {
            assert!(!KeyName::parse(&name).unwrap().fits(&key), "{name}");
        }
    }
}
