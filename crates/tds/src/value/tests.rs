use super::*;
use crate::types::encode_type_info;
use proptest::prelude::*;

const V: TdsVersion = TdsVersion::V7_4;

fn info(ty: SqlType) -> TypeInfo {
    let mut out = Vec::new();
    encode_type_info(&mut out, ty);
    TypeInfo::decode(&mut Reader::new(&out, "type"), V).unwrap()
}

/// The value has exactly these bytes in a row, and comes back from them.
#[track_caller]
fn check(ty: SqlType, value: Value, bytes: &[u8]) {
    let mut out = Vec::new();
    encode_value(&mut out, ty, &value, V, Place::Row).unwrap();
    assert_eq!(out, bytes, "{ty}");
    let mut reader = Reader::new(bytes, "value");
    assert_eq!(
        decode_value(&mut reader, info(ty), Place::Row).unwrap(),
        value
    );
    assert!(reader.is_empty());
}

#[test]
fn numbers_are_laid_out_as_the_specification_says() {
    check(SqlType::Bit, Value::Bit(true), &[1, 1]);
    check(SqlType::TinyInt, Value::TinyInt(200), &[1, 200]);
    check(SqlType::SmallInt, Value::SmallInt(-2), &[2, 0xFE, 0xFF]);
    check(SqlType::Int, Value::Int(258), &[4, 2, 1, 0, 0]);
    check(
        SqlType::BigInt,
        Value::BigInt(-1),
        &[8, 255, 255, 255, 255, 255, 255, 255, 255],
    );
    check(SqlType::Real, Value::Real(1.0), &[4, 0, 0, 0x80, 0x3F]);
    check(
        SqlType::Float,
        Value::Float(1.0),
        &[8, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F],
    );
    // 1.0000: high half first.
    check(
        SqlType::Money,
        Value::Money(10_000),
        &[8, 0, 0, 0, 0, 0x10, 0x27, 0, 0],
    );
    check(
        SqlType::Money,
        Value::Money(-1),
        &[8, 255, 255, 255, 255, 255, 255, 255, 255],
    );
    check(
        SqlType::SmallMoney,
        Value::Money(10_000),
        &[4, 0x10, 0x27, 0, 0],
    );
    let decimal = |unscaled, precision, scale| {
        (
            SqlType::Decimal { precision, scale },
            Value::Decimal(Decimal {
                unscaled,
                precision,
                scale,
            }),
        )
    };
    let (ty, value) = decimal(12_345, 9, 2);
    check(ty, value, &[5, 1, 0x39, 0x30, 0, 0]);
    let (ty, value) = decimal(-12_345, 10, 2);
    check(ty, value, &[9, 0, 0x39, 0x30, 0, 0, 0, 0, 0, 0]);
    let (ty, value) = decimal(1, 38, 38);
    check(
        ty,
        value,
        &[17, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    );
}

#[test]
fn dates_and_times_are_laid_out_as_the_specification_says() {
    // 2000-01-01 is day 730,119 from 0001-01-01 and day 36,524 from 1900-01-01.
    check(SqlType::Date, Value::Date(730_119), &[3, 0x07, 0x24, 0x0B]);
    // 12:00:00.0000001
    check(
        SqlType::Time(7),
        Value::Time(432_000_000_001),
        &[5, 0x01, 0xE0, 0x34, 0x95, 0x64],
    );
    check(SqlType::Time(0), Value::Time(10_000_000), &[3, 1, 0, 0]);
    check(
        SqlType::DateTime2(3),
        Value::DateTime2 {
            days: 730_119,
            ticks: 10_000,
        },
        &[7, 1, 0, 0, 0, 0x07, 0x24, 0x0B],
    );
    check(
        SqlType::DateTimeOffset(0),
        Value::DateTimeOffset {
            days: 730_119,
            ticks: 0,
            offset_minutes: -90,
        },
        &[8, 0, 0, 0, 0x07, 0x24, 0x0B, 0xA6, 0xFF],
    );
    check(
        SqlType::DateTime,
        Value::DateTime {
            days: 36_524,
            ticks: 300,
        },
        &[8, 0xAC, 0x8E, 0, 0, 0x2C, 1, 0, 0],
    );
    check(
        SqlType::SmallDateTime,
        Value::DateTime {
            days: 36_524,
            ticks: 18_000,
        },
        &[4, 0xAC, 0x8E, 1, 0],
    );
}

#[test]
fn strings_and_binaries_are_laid_out_as_the_specification_says() {
    check(
        SqlType::varchar(10),
        Value::string("a€"),
        &[2, 0, b'a', 0x80],
    );
    check(
        SqlType::nvarchar(10),
        Value::string("a€"),
        &[4, 0, b'a', 0, 0xAC, 0x20],
    );
    check(SqlType::nvarchar(10), Value::string(""), &[0, 0]);
    check(
        SqlType::Char(3),
        Value::string("a  "),
        &[3, 0, b'a', b' ', b' '],
    );
    check(SqlType::Binary(2), Value::Binary(vec![1, 0]), &[2, 0, 1, 0]);
    check(
        SqlType::NVARCHAR_MAX,
        Value::string("a"),
        &[2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, b'a', 0, 0, 0, 0, 0],
    );
    check(
        SqlType::VarBinary(Length::Max),
        Value::Binary(Vec::new()),
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    );
    check(
        SqlType::Xml,
        Value::Xml("x".to_owned()),
        &[2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, b'x', 0, 0, 0, 0, 0],
    );
    let mut text = TEXT_POINTER.to_vec();
    text.extend([1, 0, 0, 0, b'a']);
    check(SqlType::Text, Value::string("a"), &text);
    // 00112233-4455-6677-8899-aabbccddeeff: the first three groups little-endian.
    check(
        SqlType::UniqueIdentifier,
        Value::Guid(Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff)),
        &[
            16, 0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD,
            0xEE, 0xFF,
        ],
    );
}

#[test]
fn variants_are_laid_out_as_the_specification_says() {
    let check = |value, bytes: &[u8]| check(SqlType::SqlVariant, value, bytes);
    check(Value::Int(7), &[6, 0, 0, 0, 0x38, 0, 7, 0, 0, 0]);
    check(Value::Bit(true), &[3, 0, 0, 0, 0x32, 0, 1]);
    check(
        Value::string("a"),
        &[
            11, 0, 0, 0, 0xE7, 7, 9, 4, 0xD0, 0, 0x34, 0x40, 0x1F, b'a', 0,
        ],
    );
    check(
        Value::Binary(vec![5]),
        &[5, 0, 0, 0, 0xA5, 2, 0x40, 0x1F, 5],
    );
    check(Value::Date(1), &[5, 0, 0, 0, 0x28, 0, 1, 0, 0]);
    check(Value::Time(2), &[8, 0, 0, 0, 0x29, 1, 7, 2, 0, 0, 0, 0]);
    check(
        Value::Decimal(Decimal {
            unscaled: -5,
            precision: 3,
            scale: 1,
        }),
        &[9, 0, 0, 0, 0x6A, 2, 3, 1, 0, 5, 0, 0, 0],
    );
    check(Value::Null, &[0, 0, 0, 0]);
}

#[test]
fn nulls_have_the_spelling_of_their_type() {
    check(SqlType::Int, Value::Null, &[0]);
    check(SqlType::nvarchar(5), Value::Null, &[0xFF, 0xFF]);
    check(SqlType::NVARCHAR_MAX, Value::Null, &[0xFF; 8]);
    check(SqlType::NText, Value::Null, &[0]);
    let mut out = Vec::new();
    encode_value(&mut out, SqlType::NText, &Value::Null, V, Place::Parameter).unwrap();
    assert_eq!(out, [0xFF; 4]);
    // The strings of before 7.0.
    let mut reader = Reader::new(&[0x27, 255], "type");
    let legacy = TypeInfo::decode(&mut reader, V).unwrap();
    for (bytes, expected) in [(&[0][..], Value::Null), (&[1, b'x'], Value::string("x"))] {
        let mut reader = Reader::new(bytes, "value");
        let found = decode_value(&mut reader, legacy, Place::Parameter).unwrap();
        assert_eq!(found, expected);
    }
}

#[test]
fn values_that_do_not_fit_are_refused_and_leave_nothing() {
    let check = |ty: SqlType, value: Value, kind: bool| {
        let mut out = vec![9];
        let error = encode_value(&mut out, ty, &value, V, Place::Row).unwrap_err();
        assert_eq!(matches!(error, TdsError::ValueKind { .. }), kind, "{error}");
        assert_eq!(out, [9]);
    };
    check(SqlType::Int, Value::string("1"), true);
    check(SqlType::Int, Value::BigInt(i64::MAX), false);
    check(SqlType::nvarchar(2), Value::string("abc"), false);
    check(SqlType::nvarchar(1), Value::string("😀"), false);
    check(SqlType::Binary(1), Value::Binary(vec![1, 2]), false);
    check(SqlType::varbinary(5), Value::string("a"), true);
    check(SqlType::Float, Value::Float(f64::NAN), false);
    check(SqlType::Date, Value::Date(-1), false);
    check(SqlType::Time(0), Value::Time(DAY_TICKS), false);
    check(
        SqlType::Decimal {
            precision: 3,
            scale: 0,
        },
        Value::Int(1000),
        false,
    );
    check(
        SqlType::DateTime2(3),
        Value::DateTime2 {
            days: LAST_DAY + 1,
            ticks: 0,
        },
        false,
    );
    check(SqlType::SqlVariant, Value::Xml(String::new()), true);
    check(
        SqlType::SqlVariant,
        Value::Binary(vec![0; VARIANT_BYTES_MAX + 1]),
        false,
    );
}

#[test]
fn narrower_numbers_widen_without_loss() {
    let check = |ty: SqlType, value: Value, bytes: &[u8]| {
        let mut out = Vec::new();
        encode_value(&mut out, ty, &value, V, Place::Row).unwrap();
        assert_eq!(out, bytes);
    };
    check(SqlType::Int, Value::TinyInt(1), &[4, 1, 0, 0, 0]);
    check(SqlType::TinyInt, Value::Int(1), &[1, 1]);
    check(
        SqlType::Decimal {
            precision: 5,
            scale: 2,
        },
        Value::Int(3),
        &[5, 1, 0x2C, 1, 0, 0],
    );
    check(
        SqlType::Decimal {
            precision: 5,
            scale: 1,
        },
        Value::Decimal(Decimal {
            unscaled: 30,
            precision: 3,
            scale: 2,
        }),
        &[5, 1, 3, 0, 0, 0],
    );
    check(SqlType::Char(2), Value::string(""), &[2, 0, b' ', b' ']);
    check(SqlType::NChar(1), Value::string(""), &[2, 0, b' ', 0]);
}

#[test]
fn old_clients_get_dates_as_text() {
    let check = |ty: SqlType, value: Value, expected: &str| {
        let mut out = Vec::new();
        encode_value(&mut out, ty, &value, TdsVersion::V7_1, Place::Row).unwrap();
        assert_eq!(utf16_text(&out[2..]), expected);
        assert!(expected.len() * 2 == out.len() - 2);
    };
    check(SqlType::Date, Value::Date(730_119), "2000-01-01");
    check(SqlType::Date, Value::Date(0), "0001-01-01");
    check(SqlType::Date, Value::Date(LAST_DAY), "9999-12-31");
    check(SqlType::Date, Value::Date(730_119 + 59), "2000-02-29");
    check(
        SqlType::Time(3),
        Value::Time(432_000_010_000),
        "12:00:00.001",
    );
    check(
        SqlType::DateTime2(0),
        Value::DateTime2 {
            days: 730_119,
            ticks: 10_000_000,
        },
        "2000-01-01 00:00:01",
    );
    check(
        SqlType::DateTimeOffset(7),
        Value::DateTimeOffset {
            days: 730_119,
            ticks: 0,
            offset_minutes: -90,
        },
        "1999-12-31 22:30:00.0000000 -01:30",
    );
}

#[test]
fn decimals_of_any_length_are_read() {
    let check = |bytes: &[u8], unscaled: i128| {
        let ty = SqlType::Numeric {
            precision: 5,
            scale: 2,
        };
        let mut reader = Reader::new(bytes, "value");
        let found = decode_value(&mut reader, info(ty), Place::Row).unwrap();
        let expected = Decimal {
            unscaled,
            precision: 5,
            scale: 2,
        };
        assert_eq!(found, Value::Decimal(expected));
    };
    // As FreeTDS sends -999.99, and others.
    check(&[4, 0, 0x9F, 0x86, 0x01], -99_999);
    check(&[2, 1, 7], 7);
    check(&[5, 1, 0x9F, 0x86, 0x01, 0], 99_999);
    check(&[13, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1);
}

#[test]
fn damaged_values_are_refused() {
    let check = |ty: SqlType, bytes: &[u8]| {
        let mut reader = Reader::new(bytes, "value");
        let outcome = decode_value(&mut reader, info(ty), Place::Row);
        assert!(
            matches!(outcome, Err(TdsError::Invalid { .. })),
            "{outcome:?}"
        );
    };
    check(SqlType::Int, &[3, 1, 2, 3]);
    check(SqlType::UniqueIdentifier, &[2, 1, 2]);
    check(SqlType::Time(7), &[5, 0, 0xC0, 0x69, 0x2A, 0xC9]);
    check(SqlType::Date, &[3, 0xFF, 0xFF, 0xFF]);
    let decimal = SqlType::Decimal {
        precision: 5,
        scale: 0,
    };
    check(decimal, &[1, 1]);
    check(decimal, &[[18, 1].as_slice(), &[0; 17]].concat());
    check(SqlType::Float, &[8, 0, 0, 0, 0, 0, 0, 0xF0, 0x7F]);
    check(
        SqlType::Decimal {
            precision: 38,
            scale: 0,
        },
        &[
            17, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        ],
    );
    // A total of 3 over a chunk of 2.
    check(
        SqlType::NVARCHAR_MAX,
        &[3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, b'a', 0, 0, 0, 0, 0],
    );
    check(SqlType::SqlVariant, &[1, 0, 0, 0, 0x38]);
}

#[test]
fn long_values_go_out_in_short_chunks() {
    for length in [0, 1, 7_999, 8_000, 8_001, 16_000, 20_001] {
        let data: Vec<u8> = (0..=250).cycle().take(length).collect();
        let mut bytes = u64::try_from(length).unwrap().to_le_bytes().to_vec();
        for chunk in data.chunks(8_000) {
            bytes.extend(u32::try_from(chunk.len()).unwrap().to_le_bytes());
            bytes.extend(chunk);
        }
        bytes.extend([0; 4]);
        check(SqlType::VarBinary(Length::Max), Value::Binary(data), &bytes);
    }
}

#[test]
fn chunks_of_unknown_total_arrive_in_pieces() {
    let bytes = [
        0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, b'a', 3, 0, 0, 0, 0, b'b', 0,
        0, 0, 0, 0,
    ];
    let mut chunks = Chunks::default();
    let mut at = 0;
    for end in 0..=bytes.len() {
        let mut reader = Reader::new(&bytes[at..end], "value");
        let outcome = chunks.advance(&mut reader);
        at += reader.position();
        assert_eq!(outcome.is_ok(), end == bytes.len(), "at {end}");
    }
    assert_eq!(
        chunks.finish(info(SqlType::NVARCHAR_MAX)).unwrap(),
        Value::string("ab")
    );
}

/// Any type with any of its values.
pub(crate) fn typed_value() -> impl Strategy<Value = (SqlType, Value)> {
    let text = |max: usize| proptest::collection::vec(any::<char>(), 0..max);
    let narrow = "[ -~éü€]{0,60}";
    let scale = 0u8..=7;
    let day = 0..=LAST_DAY;
    let decimal = (1u8..=38).prop_flat_map(|precision| {
        let limit = 10i128.pow(u32::from(precision));
        (Just(precision), 0..=precision, -(limit - 1)..limit)
    });
    let present = prop_oneof![
        any::<bool>().prop_map(|v| (SqlType::Bit, Value::Bit(v))),
        any::<u8>().prop_map(|v| (SqlType::TinyInt, Value::TinyInt(v))),
        any::<i16>().prop_map(|v| (SqlType::SmallInt, Value::SmallInt(v))),
        any::<i32>().prop_map(|v| (SqlType::Int, Value::Int(v))),
        any::<i64>().prop_map(|v| (SqlType::BigInt, Value::BigInt(v))),
        any::<i64>().prop_map(|v| (SqlType::Money, Value::Money(v))),
        any::<i32>().prop_map(|v| (SqlType::SmallMoney, Value::Money(i64::from(v)))),
        proptest::num::f32::NORMAL.prop_map(|v| (SqlType::Real, Value::Real(v))),
        proptest::num::f64::NORMAL.prop_map(|v| (SqlType::Float, Value::Float(v))),
        decimal.prop_map(|(precision, scale, unscaled)| (
            SqlType::Numeric { precision, scale },
            Value::Decimal(Decimal {
                unscaled,
                precision,
                scale
            })
        )),
        (narrow, any::<bool>()).prop_map(|(v, max)| (
            if max {
                SqlType::VarChar(Length::Max)
            } else {
                SqlType::varchar(60)
            },
            Value::String(v)
        )),
        narrow.prop_map(|v| (SqlType::Text, Value::String(v))),
        narrow.prop_map(|v| (SqlType::Char(60), Value::String(format!("{v:60}")))),
        text(60).prop_map(|v| (
            SqlType::nvarchar(120),
            Value::String(v.into_iter().collect())
        )),
        text(60).prop_map(|v| (
            SqlType::NVARCHAR_MAX,
            Value::String(v.into_iter().collect())
        )),
        text(60).prop_map(|v| (SqlType::NText, Value::String(v.into_iter().collect()))),
        "[a-z<>]{0,50}".prop_map(|v| (SqlType::Xml, Value::Xml(v))),
        proptest::collection::vec(any::<u8>(), 0..70)
            .prop_map(|v| (SqlType::varbinary(70), Value::Binary(v))),
        proptest::collection::vec(any::<u8>(), 16)
            .prop_map(|v| (SqlType::Binary(16), Value::Binary(v))),
        proptest::collection::vec(any::<u8>(), 0..70)
            .prop_map(|v| (SqlType::VarBinary(Length::Max), Value::Binary(v))),
        proptest::collection::vec(any::<u8>(), 0..70)
            .prop_map(|v| (SqlType::Image, Value::Binary(v))),
        day.clone().prop_map(|v| (SqlType::Date, Value::Date(v))),
        (scale.clone(), 0..DAY_TICKS).prop_map(|(p, v)| (
            SqlType::Time(p),
            Value::Time(v / scale_factor(p) * scale_factor(p))
        )),
        (scale.clone(), day.clone(), 0..DAY_TICKS).prop_map(|(p, days, v)| (
            SqlType::DateTime2(p),
            Value::DateTime2 {
                days,
                ticks: v / scale_factor(p) * scale_factor(p)
            }
        )),
        (scale, day, 0..DAY_TICKS, -840i16..=840).prop_map(|(p, days, v, offset_minutes)| (
            SqlType::DateTimeOffset(p),
            Value::DateTimeOffset {
                days,
                ticks: v / scale_factor(p) * scale_factor(p),
                offset_minutes
            }
        )),
        (DATETIME_DAYS, 0..DAY_THREE_HUNDREDTHS)
            .prop_map(|(days, ticks)| (SqlType::DateTime, Value::DateTime { days, ticks })),
        (0..=65_535i32, 0..1_440u32).prop_map(|(days, minutes)| (
            SqlType::SmallDateTime,
            Value::DateTime {
                days,
                ticks: minutes * MINUTE_THREE_HUNDREDTHS
            }
        )),
        any::<u128>().prop_map(|v| (SqlType::UniqueIdentifier, Value::Guid(Uuid::from_u128(v)))),
        any::<i64>().prop_map(|v| (SqlType::SqlVariant, Value::BigInt(v))),
        text(60).prop_map(|v| (SqlType::SqlVariant, Value::String(v.into_iter().collect()))),
        (0..=LAST_DAY, 0..DAY_TICKS)
            .prop_map(|(days, ticks)| (SqlType::SqlVariant, Value::DateTime2 { days, ticks })),
    ];
    (present, proptest::bool::weighted(0.1)).prop_map(|((ty, value), null)| {
        if null { (ty, Value::Null) } else { (ty, value) }
    })
}

proptest! {
    #[test]
    fn every_value_comes_back((ty, value) in typed_value(), row in any::<bool>()) {
        let place = if row { Place::Row } else { Place::Parameter };
        let mut out = Vec::new();
        encode_value(&mut out, ty, &value, V, place).unwrap();
        let mut reader = Reader::new(&out, "value");
        prop_assert_eq!(decode_value(&mut reader, info(ty), place).unwrap(), value);
        prop_assert!(reader.is_empty());
    }

    #[test]
    fn garbage_values_never_panic(
        (ty, _) in typed_value(),
        bytes in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        for place in [Place::Row, Place::Parameter] {
            let _outcome = decode_value(&mut Reader::new(&bytes, "value"), info(ty), place);
        }
    }

    #[test]
    fn garbage_types_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        for version in [TdsVersion::V7_1, V] {
            let mut reader = Reader::new(&bytes, "type");
            if let Ok(info) = TypeInfo::decode(&mut reader, version) {
                let _outcome = decode_value(&mut reader, info, Place::Parameter);
            }
        }
    }
}
