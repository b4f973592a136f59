//! What a failed call of the module means. Codes come from the closed list of PKCS#11 and may be
//! named; nothing else of a module is.

use cryptoki::error::{Error as Failure, RvError};

use super::NAME;
use crate::error::{Error, Kind};

/// The module cannot be used at all.
pub(super) fn no_module(why: impl Into<String>) -> Error {
    Error::new(
        Kind::NotReady,
        format!("key provider \"{NAME}\" could not load its module"),
    )
    .with_detail(why)
}

/// `C_Initialize` failed.
pub(super) fn not_initialized(failure: &Failure) -> Error {
    let error = Error::new(
        Kind::NotReady,
        format!("key provider \"{NAME}\" could not initialize its module"),
    );
    if let Failure::Pkcs11(RvError::NeedToCreateThreads, _) = failure {
        return error.with_detail(
            "The module needs threads of its own, and a server process has one only.",
        );
    }
    error.with_detail(codes(failure)).with_hint(
        "Look at the module's own configuration: it is read in the environment and with the \
         rights of the server.",
    )
}

/// The token refused the PIN.
pub(super) fn wrong_pin(token: &str) -> Error {
    Error::new(
        Kind::Credentials,
        format!("token \"{token}\" does not accept the PIN of key provider \"{NAME}\""),
    )
    .with_hint("Put the right PIN into its pin_file; the token may lock itself after a few more.")
}

/// Whether an error says that the PIN is another one, and nothing else about it.
pub(super) fn is_wrong_pin(error: &Error, token: &str) -> bool {
    error.kind() == Kind::Credentials && error.message() == wrong_pin(token).message()
}

/// The token takes no PIN any more.
pub(super) fn locked_pin(token: &str) -> Error {
    Error::new(
        Kind::Credentials,
        format!("PIN of token \"{token}\" is locked"),
    )
    .with_hint("Have the token's security officer set a new one.")
}

/// One wrong PIN more would lock the token.
pub(super) fn last_try(token: &str) -> Error {
    Error::new(
        Kind::Credentials,
        format!("PIN of token \"{token}\" was not tried"),
    )
    .with_detail("One wrong PIN more would lock the token.")
    .with_hint("Sign in once with the token's own tools and the right PIN.")
}

/// The token is not there, or not there once.
pub(super) fn no_token(token: &str, why: impl Into<String>) -> Error {
    Error::new(
        Kind::NotReady,
        format!("key provider \"{NAME}\" cannot use token \"{token}\""),
    )
    .with_detail(why)
}

/// What the token gave back makes no sense.
pub(super) fn nonsense(token: &str, why: &str) -> Error {
    Error::new(
        Kind::Protocol,
        format!("token \"{token}\" gave an answer that cannot be read"),
    )
    .with_detail(why)
}

/// What any other failed call means.
pub(super) fn explain(failure: &Failure, token: &str) -> Error {
    let Failure::Pkcs11(code, _) = failure else {
        return match failure {
            Failure::NullFunctionPointer => no_module("It lacks a function that is needed."),
            _ => nonsense(token, "The module broke the rules of PKCS#11."),
        };
    };
    let told = |kind, message: String| Error::new(kind, message).with_detail(codes(failure));
    match code {
        RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange => wrong_pin(token),
        RvError::PinLocked => locked_pin(token),
        RvError::PinExpired | RvError::PinTooWeak | RvError::NewPinMode => told(
            Kind::Credentials,
            format!("PIN of token \"{token}\" must be changed"),
        ),
        RvError::UserPinNotInitialized => no_token(token, "It has no PIN for users yet."),
        RvError::TokenNotPresent | RvError::TokenNotRecognized | RvError::SlotIdInvalid => {
            no_token(token, "It is not in its slot.")
        }
        RvError::MechanismInvalid
        | RvError::MechanismParamInvalid
        | RvError::FunctionNotSupported => told(
            Kind::NotReady,
            format!("token \"{token}\" does not offer what key provider \"{NAME}\" needs"),
        )
        .with_hint("It must offer CKM_AES_KEY_GEN, and CKM_AES_GCM with an IV from outside."),
        RvError::KeyFunctionNotPermitted
        | RvError::ActionProhibited
        | RvError::FunctionRejected
        | RvError::TokenWriteProtected
        | RvError::SessionReadOnly
        | RvError::UserNotLoggedIn
        | RvError::UserAnotherAlreadyLoggedIn => told(
            Kind::Permission,
            format!("token \"{token}\" refused a call"),
        ),
        RvError::SessionCount | RvError::UserTooManyTypes => told(
            Kind::Throttled,
            format!("token \"{token}\" has no session left"),
        ),
        _ => told(Kind::External, format!("token \"{token}\" failed")),
    }
}

/// The function that failed and its code, by their names in PKCS#11.
fn codes(failure: &Failure) -> String {
    match failure {
        Failure::Pkcs11(code, function) => format!("C_{function:?} answered {code:?}."),
        _ => "The module broke the rules of PKCS#11.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use cryptoki::context::Function;

    use super::*;

    #[test]
    fn fault_tells_the_conditions_apart() {
        let cases = [
            (RvError::PinIncorrect, "28000", "does not accept"),
            (RvError::PinLenRange, "28000", "does not accept"),
            (RvError::PinLocked, "28000", "is locked"),
            (RvError::PinExpired, "28000", "must be changed"),
            (RvError::UserPinNotInitialized, "55000", "cannot use token"),
            (RvError::TokenNotPresent, "55000", "cannot use token"),
            (RvError::MechanismInvalid, "55000", "does not offer"),
            (RvError::KeyFunctionNotPermitted, "42501", "refused"),
            (RvError::TokenWriteProtected, "42501", "refused"),
            (RvError::SessionCount, "53000", "no session left"),
            (RvError::DeviceError, "58000", "failed"),
            (RvError::DeviceRemoved, "58000", "failed"),
            (RvError::DeviceMemory, "58000", "failed"),
            (RvError::GeneralError, "58000", "failed"),
            (RvError::VendorDefined(0x8000_0001), "58000", "failed"),
            (RvError::UnknownErrorCode(0x7777), "58000", "failed"),
        ];
        for (code, sqlstate, words) in cases {
            let error = explain(&Failure::Pkcs11(code, Function::Encrypt), "box");
            assert_eq!(error.kind().sqlstate().as_str(), sqlstate, "{code:?}");
            assert!(error.message().contains(words), "{error:?}");
            assert_eq!(is_wrong_pin(&error, "box"), words == "does not accept");
        }
        assert!(!is_wrong_pin(&last_try("box"), "box"));
        let error = explain(&Failure::NullFunctionPointer, "box");
        assert_eq!(error.kind(), Kind::NotReady);
        assert_eq!(
            explain(&Failure::InvalidValue, "box").kind(),
            Kind::Protocol
        );
        let needs = Failure::Pkcs11(RvError::NeedToCreateThreads, Function::Initialize);
        assert!(
            not_initialized(&needs)
                .detail()
                .unwrap()
                .contains("threads")
        );
    }

    #[test]
    fn fault_names_function_and_code() {
        let failure = Failure::Pkcs11(RvError::DeviceError, Function::Encrypt);
        let error = explain(&failure, "box");
        assert_eq!(error.detail(), Some("C_Encrypt answered DeviceError."));
    }
}
