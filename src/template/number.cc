#include "template/number.h"

#include <mpfr.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace kiln::tmpl {

namespace {

constexpr mpfr_prec_t kBits = 512;           // go-cty: precision of parsed numbers
constexpr std::size_t kMaxDigits = 512;      // of decimal text
constexpr std::int64_t kMaxExponent = 1000;  // of decimal text
constexpr std::size_t kRoundTrip = 156;      // digits that always read back as the same 512 bits

/// Whether text is sign? digits+ (. digits*)? or .digits, exponent?, within the limits.
bool is_decimal(std::string_view s) {
  std::size_t digits = 0;
  const auto take = [&] {
    while (!s.empty() && is_ascii_digit(s[0])) s.remove_prefix(1), ++digits;
  };
  const auto take_sign = [&] {
    if (!s.empty() && (s[0] == '-' || s[0] == '+')) s.remove_prefix(1);
  };
  take_sign();
  take();
  if (!s.empty() && s[0] == '.') {
    s.remove_prefix(1);
    take();
  }
  if (digits == 0 || digits > kMaxDigits) return false;
  if (s.empty()) return true;
  if (s[0] != 'e' && s[0] != 'E') return false;
  s.remove_prefix(1);
  take_sign();
  if (s.empty() || s.size() > 5) return false;
  std::int64_t exponent = 0;
  for (const char c : s) {
    if (!is_ascii_digit(c)) return false;
    exponent = exponent * 10 + (c - '0');
  }
  return exponent <= kMaxExponent;
}

}  // namespace

struct Number::Big {
  Big() { mpfr_init2(v, kBits); }
  explicit Big(const Number& n) : Big() {
    if (n.big_) {
      mpfr_set(v, n.big_->v, MPFR_RNDN);
    } else {
      mpfr_set_sj(v, n.small_, MPFR_RNDN);
    }
  }
  ~Big() { mpfr_clear(v); }
  Big(const Big&) = delete;
  Big& operator=(const Big&) = delete;
  mpfr_t v;
};

Number::Number(const std::shared_ptr<Big>& big) {
  if (mpfr_nan_p(big->v) != 0) return;  // callers rule NaN out; 0 is the safe answer
  const bool minus_zero = mpfr_zero_p(big->v) != 0 && mpfr_signbit(big->v) != 0;  // a text of its own, else 0
  if (!minus_zero && mpfr_integer_p(big->v) != 0 && mpfr_fits_intmax_p(big->v, MPFR_RNDN) != 0) {
    small_ = mpfr_get_sj(big->v, MPFR_RNDN);
  } else {
    big_ = big;
  }
}

Number Number::from_double(double value) {
  auto big = std::make_shared<Big>();
  mpfr_set_d(big->v, value, MPFR_RNDN);
  return Number(big);
}

Number Number::infinity(bool negative) {
  auto big = std::make_shared<Big>();
  mpfr_set_inf(big->v, negative ? -1 : 1);
  return Number(big);
}

std::optional<Number> Number::parse(std::string_view text) {
  if (!is_decimal(text)) return std::nullopt;
  if (text.size() <= 18 && std::all_of(text.begin(), text.end(), is_ascii_digit)) {
    std::int64_t value = 0;
    for (const char c : text) value = value * 10 + (c - '0');
    return Number(value);
  }
  auto big = std::make_shared<Big>();
  if (mpfr_set_str(big->v, std::string(text).c_str(), 10, MPFR_RNDN) != 0) return std::nullopt;
  return Number(big);
}

std::optional<Number> Number::parse_base(std::string_view text, int base) {
  std::string_view digits = text;
  if (!digits.empty() && (digits[0] == '-' || digits[0] == '+')) digits.remove_prefix(1);
  const auto plain = [](char c) { return is_ascii_digit(c) || is_ascii_letter(c); };
  if (digits.empty() || digits.size() > kMaxDigits || base < 2 || base > 62) return std::nullopt;
  if (!std::all_of(digits.begin(), digits.end(), plain)) return std::nullopt;
  auto big = std::make_shared<Big>();
  if (mpfr_set_str(big->v, std::string(text).c_str(), base, MPFR_RNDN) != 0) return std::nullopt;
  return Number(big);
}

std::string Number::text() const {
  if (!big_) return std::to_string(small_);
  if (mpfr_inf_p(big_->v) != 0) return sign() < 0 ? "-Inf" : "+Inf";
  if (mpfr_zero_p(big_->v) != 0) return "-0";
  const auto digits_of = [&](std::size_t n, mpfr_exp_t& exponent) {
    char* raw = mpfr_get_str(nullptr, &exponent, 10, n, big_->v, MPFR_RNDN);
    std::string out = raw[0] == '-' ? raw + 1 : raw;
    mpfr_free_str(raw);
    return out;
  };
  Big back;
  const auto reads_back = [&](std::size_t n) {
    mpfr_exp_t e = 0;
    std::string s = "0." + digits_of(n, e);  // sets e
    s += "e" + std::to_string(e);
    mpfr_set_str(back.v, s.c_str(), 10, MPFR_RNDN);
    return mpfr_cmpabs(back.v, big_->v) == 0;
  };
  std::size_t low = 1;
  std::size_t high = kRoundTrip;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (reads_back(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  mpfr_exp_t point = 0;
  std::string digits = digits_of(low, point);
  digits.erase(digits.find_last_not_of('0') + 1);
  const auto count = static_cast<mpfr_exp_t>(digits.size());
  std::string out = sign() < 0 ? "-" : "";
  if (point <= 0) return out + "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  if (point >= count) return out + digits + std::string(static_cast<std::size_t>(point - count), '0');
  return out + digits.insert(static_cast<std::size_t>(point), ".");
}

std::string Number::text(char style, std::size_t precision) const {
  if (is_infinite()) return text();
  const char format[] = {'%', '.', '*', 'R', 'N', style, '\0'};
  char* raw = nullptr;
  if (mpfr_asprintf(&raw, format, static_cast<int>(precision), Big(*this).v) < 0) return text();
  std::string out = raw;
  mpfr_free_str(raw);
  return out;
}

std::optional<std::int64_t> Number::to_int() const {
  if (!big_) return small_;
  return mpfr_zero_p(big_->v) != 0 ? std::optional<std::int64_t>(0) : std::nullopt;
}

double Number::to_double() const {
  return big_ ? mpfr_get_d(big_->v, MPFR_RNDN) : static_cast<double>(small_);
}

bool Number::is_integer() const {
  return !big_ || mpfr_integer_p(big_->v) != 0;
}
bool Number::is_infinite() const {
  return big_ && mpfr_inf_p(big_->v) != 0;
}

int Number::sign() const {
  const std::int64_t s = big_ ? mpfr_sgn(big_->v) : small_;
  return s < 0 ? -1 : s > 0 ? 1 : 0;
}

Number Number::operator-() const {
  if (big_ || small_ != 0) return Number(0) - *this;
  auto zero = std::make_shared<Big>();
  mpfr_set_zero(zero->v, -1);
  return Number(zero);
}

Number operator+(const Number& a, const Number& b) {
  std::int64_t sum = 0;
  if (!a.big_ && !b.big_ && !__builtin_add_overflow(a.small_, b.small_, &sum)) return sum;
  auto r = std::make_shared<Number::Big>();
  mpfr_add(r->v, Number::Big(a).v, Number::Big(b).v, MPFR_RNDN);
  return Number(r);
}

Number operator-(const Number& a, const Number& b) {
  std::int64_t difference = 0;
  if (!a.big_ && !b.big_ && !__builtin_sub_overflow(a.small_, b.small_, &difference)) return difference;
  auto r = std::make_shared<Number::Big>();
  mpfr_sub(r->v, Number::Big(a).v, Number::Big(b).v, MPFR_RNDN);
  return Number(r);
}

Number operator*(const Number& a, const Number& b) {
  std::int64_t product = 0;
  if (!a.big_ && !b.big_ && !__builtin_mul_overflow(a.small_, b.small_, &product))
    return product == 0 && (a.small_ < 0 || b.small_ < 0) ? -Number(0) : Number(product);
  auto r = std::make_shared<Number::Big>();
  mpfr_mul(r->v, Number::Big(a).v, Number::Big(b).v, MPFR_RNDN);
  return Number(r);
}

std::optional<Number> divide(const Number& a, const Number& b) {
  if (b.sign() == 0) {
    if (a.sign() == 0) return std::nullopt;
    return Number::infinity(a.sign() < 0);
  }
  if (a.is_infinite() && b.is_infinite()) return std::nullopt;
  auto r = std::make_shared<Number::Big>();
  mpfr_div(r->v, Number::Big(a).v, Number::Big(b).v, MPFR_RNDN);
  return Number(r);
}

Number modulo(const Number& a, const Number& b) {
  if (a.is_infinite() || b.is_infinite()) return a * b;
  const std::optional<Number> ratio = b.sign() == 0 ? std::nullopt : divide(a, b);
  return ratio ? a - b * ratio->truncated() : a;
}

Number Number::truncated() const {
  return sign() < 0 ? ceil() : floor();
}

Number Number::floor() const {
  if (sign() == 0) return 0;  // without a sign
  if (is_integer() || is_infinite()) return *this;
  auto r = std::make_shared<Big>();
  mpfr_floor(r->v, big_->v);
  return Number(r);
}

Number Number::ceil() const {
  if (sign() == 0) return 0;
  if (is_integer() || is_infinite()) return *this;
  auto r = std::make_shared<Big>();
  mpfr_ceil(r->v, big_->v);
  return mpfr_zero_p(r->v) != 0 ? Number(0) : Number(r);
}

std::strong_ordering operator<=>(const Number& a, const Number& b) {
  if (!a.big_ && !b.big_) return a.small_ <=> b.small_;
  return mpfr_cmp(Number::Big(a).v, Number::Big(b).v) <=> 0;
}

}  // namespace kiln::tmpl
