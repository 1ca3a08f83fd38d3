//! The languages that texts are read in.

/// A language that texts are read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Language {
    English,
    Spanish,
    Portuguese,
    French,
    German,
    Italian,
    Dutch,
    Croatian,
    Polish,
    Russian,
    Turkish,
    Indonesian,
    Chinese,
    Japanese,
    Korean,
    Arabic,
    Hindi,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 17] = [
        Self::English,
        Self::Spanish,
        Self::Portuguese,
        Self::French,
        Self::German,
        Self::Italian,
        Self::Dutch,
        Self::Croatian,
        Self::Polish,
        Self::Russian,
        Self::Turkish,
        Self::Indonesian,
        Self::Chinese,
        Self::Japanese,
        Self::Korean,
        Self::Arabic,
        Self::Hindi,
    ];

    /// Returns the language's code of ISO 639-1. `hr` stands for Bosnian and Serbian in Latin letters too.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
            Self::Portuguese => "pt",
            Self::French => "fr",
            Self::German => "de",
            Self::Italian => "it",
            Self::Dutch => "nl",
            Self::Croatian => "hr",
            Self::Polish => "pl",
            Self::Russian => "ru",
            Self::Turkish => "tr",
            Self::Indonesian => "id",
            Self::Chinese => "zh",
            Self::Japanese => "ja",
            Self::Korean => "ko",
            Self::Arabic => "ar",
            Self::Hindi => "hi",
        }
    }
}
