// Values of the template language, as go-cty has them: typed, possibly null, possibly unknown (known only while
// building; something may be known of it, see refinement.h), and marked. A mark (sensitive) stays with a value through
// every operation until it is taken off by name. Strings are NFC-normalised UTF-8. Values are immutable; copies are
// cheap.
#pragma once

#include <compare>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "template/number.h"
#include "template/refinement.h"
#include "template/type.h"

namespace kiln::tmpl {

/// A set of marks.
class Marks {
 public:
  static Marks sensitive() { return Marks(1); }
  Marks() = default;
  bool empty() const { return bits_ == 0; }
  bool contains(Marks other) const { return (bits_ & other.bits_) == other.bits_; }
  Marks operator|(Marks other) const { return Marks(bits_ | other.bits_); }
  Marks& operator|=(Marks other) { return *this = *this | other; }
  bool operator==(const Marks&) const = default;

 private:
  explicit Marks(std::uint32_t bits) : bits_(bits) {}
  std::uint32_t bits_ = 0;
};

class Value {
 public:
  using Elements = std::vector<Value>;
  using Entries = std::map<std::string, Value>;

  Value() = default;  // null of dynamic type
  static Value null(Type type = {});
  static Value unknown(Type type = {});
  /// Known where that leaves one value; of an unknown of dynamic type nothing is known.
  static Value unknown(Type type, Refinement known);
  /// Normalises to NFC; text that is not UTF-8 keeps its well-formed parts, the rest becomes U+FFFD.
  static Value string(std::string_view text);
  static Value number(Number number);
  static Value boolean(bool truth);
  /// The elements must have the element type (dynamic accepts the mixture it says).
  static Value list(Type element, Elements elements);
  static Value map(Type element, Entries entries);
  /// Sorts and drops duplicates. Marks of elements move to the set; an element that is not wholly known makes the whole
  /// set unknown, of which the length is known within bounds.
  static Value set(Type element, Elements elements);
  static Value tuple(Elements elements);
  static Value object(Entries entries);
  /// A list (tuple if empty of type) of strings.
  static Value strings(std::span<const std::string> texts);

  const Type& type() const { return type_; }
  bool is(Kind kind) const { return type_.is(kind); }
  bool is_null() const { return state_ == State::null; }
  bool is_unknown() const { return state_ == State::unknown; }
  /// Neither null nor unknown: the readers below may be used.
  bool is_known() const { return state_ == State::known; }
  /// No unknown anywhere inside.
  bool is_wholly_known() const { return wholly_known_; }
  /// Known, or known not to be null.
  bool is_not_null() const { return is_known() || (is_unknown() && refinement().not_null); }
  /// What is certain of the value; of a known text only that it is not null.
  Refinement refinement() const;
  /// An unknown value with more known of it; a known one or null as it is.
  Value refined(const Refinement& more) const;
  Value not_null() const { return refined({.not_null = true}); }

  const std::string& text() const;   // known string
  const Number& number() const;      // known number
  bool truth() const;                // known bool
  const Elements& elements() const;  // known list, set (sorted), tuple
  const Entries& entries() const;    // known map, object
  std::size_t length() const;        // of a known list, set, tuple, map or object

  Marks marks() const { return marks_; }
  /// Marks of this value and of everything inside it.
  Marks deep_marks() const { return marks_ | inner_marks_; }
  bool is_sensitive() const { return deep_marks().contains(Marks::sensitive()); }
  Value marked(Marks marks) const;  // adds
  Value unmarked() const;           // this level only
  Value deep_unmarked() const;

  /// Levels of nesting: 1 for a primitive.
  std::size_t depth() const { return depth_; }
  /// Values inside, itself included, shared ones counted each time: what a walk over it costs.
  std::size_t weight() const { return weight_; }
  /// Bytes of text inside, counted likewise.
  std::uint64_t text_bytes() const { return text_bytes_; }
  /// Exactly the same: type, state, content and marks.
  bool operator==(const Value& other) const;

 private:
  enum class State : std::uint8_t { null, unknown, known };
  using Data =
      std::variant<std::monostate, bool, Number, std::shared_ptr<const std::string>, std::shared_ptr<const Elements>,
                   std::shared_ptr<const Entries>, std::shared_ptr<const Refinement>>;
  Value(Type type, State state) : type_(std::move(type)), state_(state), wholly_known_(state != State::unknown) {}
  Value(Type type, Data data);
  Type type_;
  State state_ = State::null;
  bool wholly_known_ = true;
  std::uint16_t depth_ = 1;
  std::uint32_t weight_ = 1;
  std::uint64_t text_bytes_ = 0;
  Marks marks_;
  Marks inner_marks_;  // of the parts
  Data data_;
};

/// The language's ==: a bool, unknown when that depends on something unknown; values of different types are not equal.
/// What is known of an unknown value may tell that they differ. Marked as the operands are.
Value equals(const Value& a, const Value& b);

/// A total order on unmarked, wholly known values of one type: false < true, numbers by value, strings bytewise,
/// collections element by element, null last.
std::strong_ordering order(const Value& a, const Value& b);

/// Every string, number and bool inside as text, for the masking of secrets.
void collect_texts(const Value& value, std::vector<std::string>& out);

/// NFC of UTF-8 text, as Value::string does it.
std::string normalised(std::string_view text);

}  // namespace kiln::tmpl
