// Numbers of the template language: binary floating point with 512 bits of mantissa, as go-cty has them, with small
// integers kept inline. Wraps MPFR; no other file includes it.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace kiln::tmpl {

/// An immutable number: finite or infinite, never NaN. Copies are cheap.
class Number {
 public:
  Number() = default;  // 0
  Number(std::int64_t value) : small_(value) {}
  /// Not for NaN.
  static Number from_double(double value);
  static Number infinity(bool negative);
  /// Reads decimal text in full: sign, digits, fraction, exponent; nothing around it. At most 512 digits and an
  /// exponent of at most 1000, otherwise nothing.
  static std::optional<Number> parse(std::string_view text);
  /// Reads digits of base 2 to 62 with an optional sign (parseint).
  static std::optional<Number> parse_base(std::string_view text, int base);

  /// Without exponent: integers exactly, the rest with the fewest digits that read back as the same number.
  std::string text() const;
  /// As printf's %e, %E, %f, %F, %g or %G with this precision, rounded to even.
  std::string text(char style, std::size_t precision) const;
  /// The value if it is an integer that fits.
  std::optional<std::int64_t> to_int() const;
  /// Nearest double; may be infinite.
  double to_double() const;
  bool is_integer() const;
  bool is_infinite() const;
  int sign() const;  // -1, 0, 1

  Number operator-() const;
  friend Number operator+(const Number& a, const Number& b);  // opposite infinities give 0
  friend Number operator-(const Number& a, const Number& b);
  friend Number operator*(const Number& a, const Number& b);  // zero times infinity gives 0
  /// x/0 is an infinity; 0/0 and inf/inf are nothing.
  friend std::optional<Number> divide(const Number& a, const Number& b);
  /// Remainder with the sign of a; a itself when b is 0.
  friend Number modulo(const Number& a, const Number& b);
  Number truncated() const;
  Number floor() const;
  Number ceil() const;

  friend std::strong_ordering operator<=>(const Number& a, const Number& b);
  friend bool operator==(const Number& a, const Number& b) { return (a <=> b) == std::strong_ordering::equal; }

 private:
  struct Big;
  explicit Number(const std::shared_ptr<Big>& big);
  std::int64_t small_ = 0;
  std::shared_ptr<const Big> big_;  // when set, small_ does not count
};

std::optional<Number> divide(const Number& a, const Number& b);
Number modulo(const Number& a, const Number& b);

}  // namespace kiln::tmpl
