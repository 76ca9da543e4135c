//! The demo store: a table of features, from which its Parquet files, `README.md` and `truth.json` are written.

use arrow::datatypes::DataType::{self as T, Decimal128, FixedSizeBinary, Time32, Time64};
use arrow::datatypes::TimeUnit::{Microsecond, Millisecond, Nanosecond};
use parquet::basic::{Compression, ZstdLevel};

use super::distribution::Distribution;
use super::drift::{
    Clipping, Constant, Drift, NewCategory, NullSpike, Scale, Shift, UnitChange, Value, VanishedCategory,
};
use super::feature::{Expected, Feature, Presence, Specials};
use super::readme;
use super::types::{dictionary, list};
use super::write::{Format, Layout, Store};

const REFERENCE_ROWS: u64 = 6000;
const CURRENT_ROWS: u64 = 5000;

/// Chosen so that no stable feature looks drifted by accident: of some 50 of them, one in twenty would have p < 0.05.
const SEED: u64 = 11;

/// The demo store, as it stands in the folder `data` of gpudrift's repository.
#[must_use]
pub fn store() -> Store {
    let features = features();
    Store {
        seed: SEED,
        readme: Some(readme::demo(&features, REFERENCE_ROWS, CURRENT_ROWS)),
        features,
        reference_rows: REFERENCE_ROWS,
        current_rows: CURRENT_ROWS,
        format: Format {
            codec: Compression::ZSTD(ZstdLevel::try_new(9).expect("9 is a level")),
            dictionary: true,
            row_group_rows: 1100,
            files: 2,
            layout: Layout::Flat,
        },
    }
}

/// The table: one line a feature, with its name, type, values, special values, drift and remark.
#[rustfmt::skip]
fn features() -> Vec<Feature> {
    use Expected::{Critical, Info, Skipped, Warning};
    vec![
        // Customers.
        row("customer_id", T::Utf8, ids("cus-", 1 << 32)).note("nearly every row has its own: that most of current is new says nothing"),
        row("customer_age", T::UInt8, normal(44.0, 13.0)).note("years"),
        row("household_size", T::Int8, poisson(1.6)),
        row("years_as_customer", T::UInt8, geometric(4.0)),
        row("annual_income", T::Float64, lognormal(38_000.0, 0.5)).decimals(0).nulls(0.06),
        row("postal_code", T::Int32, ids("", 90_000)).becomes(T::Utf8, Skipped).note("a number became text"),
        row("country", T::Utf8, zipf(&["DE", "FR", "GB", "IT", "ES", "PL", "NL", "SE"], 1.0)).drift(new_category("UA", 0.1), Critical),
        row("language", T::Utf8, zipf(&["en", "de", "fr", "es"], 0.6)).drift(constant_label("en"), Critical),
        row("currency", T::Utf8, zipf(&["EUR", "GBP", "PLN", "SEK"], 1.4)).drift(new_category("CHF", 0.004), Info).note("too few of the new category to call it drift"),
        row("email_domain", T::LargeUtf8, zipf(&DOMAINS, 0.9)).drift(vanished("yahoo.example"), Critical),
        row("email_verified", T::Boolean, bernoulli(0.82)),
        row("newsletter", T::Boolean, bernoulli(0.4)).drift(shift(0.18), Warning),
        row("phone_tenure_days", T::Int32, exponential(600.0)).drift(NullSpike { share: 0.35 }, Info).note("what is left is distributed as before"),
        row("acquisition_channel", dictionary(), zipf(&["search", "direct", "social", "email", "partner", "affiliate"], 1.1)).drift(shift(1.0), Critical),
        row("subscription_plan", dictionary(), zipf(&["free", "basic", "plus", "premium"], 0.8)).nulls(0.04),
        row("referral_score", T::Float32, normal(0.0, 1.0)).nulls(1.0).note("never filled in"),
        row("schema_version", T::Int32, Distribution::Constant { value: 3.0 }),
        row("account_opened", T::Date32, normal(DAY_2026 - 900.0, 300.0)),
        row("birth_date", T::Date64, normal((DAY_2026 - 16_000.0) * DAY_MS, 4700.0 * DAY_MS)).nulls(0.02),

        // Money and credit.
        row("account_balance", T::Float64, normal(1500.0, 900.0)).decimals(2),
        row("account_change", T::Float32, normal(0.0, 40.0)).decimals(0).specials(Specials { negative_zeros: 0.05, ..Specials::default() }).note("ties, and zeros of both signs"),
        row("credit_limit", Decimal128(12, 2), lognormal(2500.0, 0.6)).decimals(0),
        row("loan_amount", Decimal128(15, 2), lognormal(9000.0, 0.8)).nulls(0.15),
        row("exposure_total", Decimal128(38, 10), lognormal(4e12, 0.7)).note("digits that no float holds"),
        row("risk_score", T::Float32, normal(600.0, 80.0)).decimals(0).drift(shift(31.0), Warning),
        row("fraud_score", T::Float32, uniform(0.0, 1.0)).drift(Scale { factor: 0.6 }, Critical),
        row("default_probability", T::Float64, lognormal(0.03, 0.8)).note("every value different"),
        row("credit_utilisation", T::Float16, uniform(0.0, 1.0)).note("half precision, so ties"),
        row("velocity_ratio", T::Float64, pareto(3.0, 1.4)).decimals(2).specials(Specials { nulls: 0.02, nans: 0.02, infinities: 0.012, negative_infinities: 0.004, ..Specials::default() }).note("division by zero"),
        row("overdue_share", T::Float64, zeros(0.8, 0.1, 0.6)).decimals(3),

        // Orders and payments.
        row("transactions_7d", T::Int16, poisson(4.0)),
        row("transactions_30d", T::Int32, poisson(17.0)).drift(shift(4.0), Critical),
        row("lifetime_orders", T::UInt32, geometric(20.0)),
        row("order_count", T::Float64, poisson(6.0)).becomes(T::Int32, Info).note("whole numbers on both sides"),
        row("items_per_order", T::UInt16, geometric(2.0)),
        row("loyalty_points", T::Int32, geometric(300.0)).becomes(T::Int64, Info),
        row("average_basket", T::Float32, lognormal(48.0, 0.6)).decimals(2),
        row("largest_basket", T::Float64, pareto(90.0, 1.6)).decimals(2).note("no variance"),
        row("refunds_30d", T::Float32, zeros(0.6, 25.0, 0.7)).decimals(2).drift(Scale { factor: 3.0 }, Critical),
        row("discount", Decimal128(5, 2), zeros(0.5, 8.0, 0.5)).decimals(0).note("ties"),
        row("merchant", T::Utf8, zipf_numbered("merchant", 120, 0.4)),
        row("card_fingerprint", FixedSizeBinary(8), zipf_numbered("card", 40, 0.5)),
        row("issuer_token", T::Binary, zipf_numbered("issuer", 30, 0.8)).nulls(0.03).note("bytes, most of them no valid UTF-8"),
        row("payment_id", T::Int64, uniform(1.1e18, 1.2e18)).note("beyond 2^53"),
        row("last_payment_at", T::Timestamp(Microsecond, Some("UTC".into())), uniform(DAY_2026 * DAY_MS * 1e3, (DAY_2026 + 90.0) * DAY_MS * 1e3)).nulls(0.1),
        row("first_order_at", T::Timestamp(Microsecond, None), normal((DAY_2026 - 500.0) * DAY_MS * 1e3, 200.0 * DAY_MS * 1e3)),

        // Sessions and devices.
        row("device_type", T::Utf8, zipf(&["phone", "desktop", "tablet", "tv"], 1.2)).nulls(0.02),
        row("device_id", T::UInt64, uniform(9.3e18, 1.8e19)).note("beyond what a signed integer holds"),
        row("is_returning", T::Boolean, bernoulli(0.4)).drift(shift(0.25), Critical),
        row("has_app", T::Boolean, bernoulli(0.3)).nulls(0.05),
        row("last_login", T::Timestamp(Millisecond, None), uniform(DAY_2026 * DAY_MS, (DAY_2026 + 90.0) * DAY_MS)).drift(shift(30.0 * DAY_MS), Critical).note("time goes on"),
        row("last_click", T::Timestamp(Nanosecond, Some("Europe/Berlin".into())), uniform(DAY_2026 * DAY_MS * 1e6, (DAY_2026 + 1.0) * DAY_MS * 1e6)),
        row("preferred_time", Time32(Millisecond), normal(0.6 * DAY_MS, 0.11 * DAY_MS)),
        row("first_visit_time", Time64(Microsecond), uniform(0.2 * DAY_MS * 1e3, 0.95 * DAY_MS * 1e3)),
        row("session_length", T::Duration(Millisecond), lognormal(240_000.0, 0.8)),
        row("page_load_ms", T::Float32, lognormal(420.0, 0.7)).decimals(0).specials(Specials { nans: 0.03, ..Specials::default() }),
        row("response_score", T::Float64, normal(0.0, 1.0)).decimals(3).specials(Specials { nulls: 0.05, nans: 0.08, ..Specials::default() }),
        row("embedding_norm", T::Float32, normal(1.0, 0.08)),
        row("embedding", list(), normal(0.0, 1.0)).decimals(1).expect(Skipped).note("nested"),

        // Parcels and sensors.
        row("warehouse_distance", T::Float64, Distribution::Bimodal { first: 12.0, second: 4800.0, sd: 1.5, share: 0.7 }).decimals(1).note("kilometres"),
        row("delivery_delay", T::Float32, exponential(14.0)).decimals(0).drift(units(60.0, 0.0), Critical).note("minutes, then seconds"),
        row("parcel_weight", T::Float64, lognormal(1.2, 0.7)).decimals(3).drift(units(1000.0, 0.0), Critical).note("kilograms, then grams"),
        row("storage_temperature", T::Float32, normal(19.0, 4.0)).decimals(1).drift(units(1.8, 32.0), Critical).note("Celsius, then Fahrenheit"),
        row("sensor_humidity", T::Float32, normal(55.0, 9.0)).decimals(1).drift(Constant { value: Value::Number(50.0) }, Critical).note("the sensor is stuck"),
        row("sensor_voltage", T::Float32, normal(3.3, 0.1)).decimals(2).drift(Clipping { low: 3.2, high: 3.4 }, Critical),

        // On one side only.
        row("legacy_score", T::Float32, uniform(0.0, 1.0)).decimals(2).only(Presence::ReferenceOnly),
        row("behaviour_score", T::Float32, uniform(0.0, 1.0)).decimals(2).only(Presence::CurrentOnly),
    ]
}

/// 1 January 2026 in days since 1970.
const DAY_2026: f64 = 20_454.0;
/// Milliseconds of a day.
const DAY_MS: f64 = 86_400e3;

const DOMAINS: [&str; 9] = [
    "gmail.example",
    "outlook.example",
    "yahoo.example",
    "web.example",
    "gmx.example",
    "icloud.example",
    "orange.example",
    "libero.example",
    "proton.example",
];

fn row(name: &str, data_type: T, distribution: Distribution) -> Feature {
    Feature::new(name, data_type, distribution)
}

// What a line of the table can add.
impl Feature {
    fn decimals(mut self, decimals: u8) -> Self {
        self.decimals = Some(decimals);
        self
    }

    fn nulls(mut self, share: f64) -> Self {
        self.specials.nulls = share;
        self
    }

    fn specials(mut self, specials: Specials) -> Self {
        self.specials = specials;
        self
    }

    fn drift(mut self, drift: impl Into<Drift>, expected: Expected) -> Self {
        self.drift = Some(drift.into());
        self.expect(expected)
    }

    fn becomes(mut self, data_type: T, expected: Expected) -> Self {
        self.current_type = Some(data_type);
        self.expect(expected)
    }

    fn only(mut self, presence: Presence) -> Self {
        self.presence = presence;
        self.expect(Expected::Skipped)
    }

    fn expect(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }

    fn note(mut self, note: &str) -> Self {
        self.note = note.into();
        self
    }
}

// Short names, so that a line of the table is a line.
fn uniform(low: f64, high: f64) -> Distribution {
    Distribution::Uniform { low, high }
}
fn normal(mean: f64, sd: f64) -> Distribution {
    Distribution::Normal { mean, sd }
}
fn lognormal(median: f64, sigma: f64) -> Distribution {
    Distribution::LogNormal { median, sigma }
}
fn exponential(mean: f64) -> Distribution {
    Distribution::Exponential { mean }
}
fn pareto(scale: f64, alpha: f64) -> Distribution {
    Distribution::Pareto { scale, alpha }
}
fn zeros(zeros: f64, median: f64, sigma: f64) -> Distribution {
    Distribution::ZeroInflated { zeros, median, sigma }
}
fn poisson(mean: f64) -> Distribution {
    Distribution::Poisson { mean }
}
fn geometric(mean: f64) -> Distribution {
    Distribution::Geometric { mean }
}
fn bernoulli(share: f64) -> Distribution {
    Distribution::Bernoulli { share }
}
fn zipf(labels: &[&str], skew: f64) -> Distribution {
    Distribution::zipf(labels.iter().copied(), skew)
}
fn zipf_numbered(name: &str, count: u32, skew: f64) -> Distribution {
    Distribution::zipf((1..=count).map(|number| format!("{name}-{number:03}")), skew)
}
fn ids(prefix: &str, pool: u64) -> Distribution {
    Distribution::Ids { prefix: prefix.into(), pool }
}
fn shift(by: f64) -> Shift {
    Shift { by }
}
fn units(factor: f64, offset: f64) -> UnitChange {
    UnitChange { factor, offset }
}
fn new_category(label: &str, share: f64) -> NewCategory {
    NewCategory { label: label.into(), share }
}
fn vanished(label: &str) -> VanishedCategory {
    VanishedCategory { label: label.into() }
}
fn constant_label(label: &str) -> Constant {
    Constant { value: Value::Label(label.into()) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn eight_kinds_of_drift_and_every_level_are_there_and_most_features_are_stable() {
        let features = features();
        let kinds: HashSet<_> = features.iter().flat_map(|f| &f.drift).map(|drift| drift.kind().name()).collect();
        assert_eq!(kinds.len(), 8, "{kinds:?}");
        let stable = features.iter().filter(|f| f.expected == Expected::Ok).count();
        assert!(stable * 2 > features.len(), "{stable} of {}", features.len());
        for level in [Expected::Info, Expected::Warning, Expected::Critical, Expected::Skipped] {
            assert!(features.iter().any(|f| f.expected == level), "{level:?}");
        }
        let names: HashSet<_> = features.iter().map(|f| &f.name).collect();
        assert_eq!(names.len(), features.len(), "names differ");
    }

    #[test]
    fn every_named_type_is_there() {
        let types: Vec<_> = features().into_iter().map(|f| f.data_type).collect();
        for (name, make) in crate::generate::types::TYPES {
            let found = match make() {
                Decimal128(precision, _) => {
                    types.iter().any(|t| matches!(t, Decimal128(p, _) if (*p > 18) == (precision > 18)))
                }
                made => types.contains(&made),
            };
            let zoned =
                matches!(name, "timestamp-ns") && types.iter().any(|t| matches!(t, T::Timestamp(Nanosecond, Some(_))));
            assert!(found || zoned, "{name}");
        }
    }
}
