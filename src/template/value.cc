#include "template/value.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "template/console.h"

namespace kiln::tmpl {

std::string normalised(std::string_view text) {
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<signed char>(c) >= 0; });
  if (ascii) return std::string(text);
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  if (U_FAILURE(status)) return std::string(text);
  // Through UTF-16, because normalizeUTF8 passes ill-formed bytes on.
  const icu::UnicodeString wide = icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())});
  std::string out;
  nfc->normalize(wide, status).toUTF8String(out);
  return U_FAILURE(status) ? std::string(text) : out;
}

Value::Value(Type type, Data data) : type_(std::move(type)), state_(State::known), data_(std::move(data)) {
  std::size_t below = 0;
  std::size_t weight = 1;
  const auto add = [&](const Value& part) {
    below = std::max(below, part.depth());
    weight = std::min<std::size_t>(weight + part.weight(), UINT32_MAX);
    text_bytes_ = std::min(text_bytes_ + part.text_bytes(), UINT64_MAX / 2);
    wholly_known_ = wholly_known_ && part.wholly_known_;
    inner_marks_ |= part.deep_marks();
  };
  if (const auto* text = std::get_if<std::shared_ptr<const std::string>>(&data_)) text_bytes_ = (*text)->size();
  if (const auto* list = std::get_if<std::shared_ptr<const Elements>>(&data_)) {
    for (const Value& part : **list) add(part);
  } else if (const auto* map = std::get_if<std::shared_ptr<const Entries>>(&data_)) {
    for (const auto& [key, part] : **map) add(part);
  }
  depth_ = static_cast<std::uint16_t>(std::min<std::size_t>(below + 1, UINT16_MAX));
  weight_ = static_cast<std::uint32_t>(weight);
}

Value Value::null(Type type) {
  return {std::move(type), State::null};
}
Value Value::unknown(Type type) {
  return {std::move(type), State::unknown};
}
Value Value::unknown(Type type, Refinement known) {
  if (type.is_dynamic() || known == Refinement()) return unknown(std::move(type));
  if (known.not_null && known.least && known.least == known.most && known.least->inclusive)
    return number(known.least->number);
  if (known.not_null && type.is_collection() && known.min_length == known.max_length) {
    if (type.is(Kind::list)) return list(type.element(), Elements(known.max_length, unknown(type.element())));
    if (known.max_length == 0) return type.is(Kind::map) ? map(type.element(), {}) : set(type.element(), {});
  }
  Value v(std::move(type), State::unknown);
  v.data_ = std::make_shared<const Refinement>(std::move(known));
  return v;
}
Value Value::string(std::string_view text) {
  return {Type::string(), std::make_shared<const std::string>(normalised(text))};
}
Value Value::number(Number number) {
  return {Type::number(), std::move(number)};
}
Value Value::boolean(bool truth) {
  return {Type::boolean(), truth};
}

Value Value::list(Type element, Elements elements) {
  return {Type::list(std::move(element)), std::make_shared<const Elements>(std::move(elements))};
}

Value Value::map(Type element, Entries entries) {
  return {Type::map(std::move(element)), std::make_shared<const Entries>(std::move(entries))};
}

namespace {

void append_set_key(const Value& v, std::string& out);

void append_set_keys(const Value& v, std::string& out) {
  const bool map = v.is(Kind::map);
  out += map ? '{' : v.type().is_collection() ? '[' : '<';
  if (map || v.is(Kind::object)) {
    for (const auto& [key, part] : v.entries()) {
      if (map) out += go_quoted(key) + ":";
      append_set_key(part, out);
      out += ';';
    }
  } else {
    for (const Value& part : v.elements()) {
      append_set_key(part, out);
      out += ';';
    }
  }
  out += map ? '}' : v.type().is_collection() ? ']' : '>';
}

/// The text by which go-cty orders what has no order of its own.
void append_set_key(const Value& v, std::string& out) {
  if (v.is_null()) {
    out += '~';
  } else if (v.is(Kind::string)) {
    out += go_quoted(v.text());
  } else if (v.is(Kind::number)) {
    out += v.number().text('g', 10);
  } else if (v.is(Kind::boolean)) {
    out += v.truth() ? 'T' : 'F';
  } else {
    append_set_keys(v, out);
  }
}

std::string set_key(const Value& v) {
  std::string out;
  if (!v.type().is_primitive()) append_set_key(v, out);
  return out;
}

/// Sorts as a set is gone through, and leaves one of equal ones.
void make_unique(Value::Elements& elements) {
  std::vector<std::pair<std::string, Value>> keyed;
  keyed.reserve(elements.size());
  for (Value& v : elements) keyed.emplace_back(set_key(v), std::move(v));
  const auto less = [](const auto& a, const auto& b) {
    const int keys = a.first.compare(b.first);
    return keys < 0 || (keys == 0 && std::is_lt(order(a.second, b.second)));
  };
  std::stable_sort(keyed.begin(), keyed.end(), less);
  elements.clear();
  for (auto& [key, v] : keyed) {
    if (elements.empty() || std::is_neq(order(elements.back(), v))) elements.push_back(std::move(v));
  }
}

}  // namespace

Value Value::set(Type element, Elements elements) {
  Marks marks;
  for (Value& v : elements) {
    const Marks inside = v.deep_marks();
    if (!inside.empty()) v = v.deep_unmarked();
    marks |= inside;
  }
  const std::size_t open = std::erase_if(elements, [](const Value& v) { return !v.is_wholly_known(); });
  make_unique(elements);
  if (open > 0) {
    const Refinement known = {.not_null = true, .min_length = 1, .max_length = elements.size() + open};
    return unknown(Type::set(std::move(element)), known).marked(marks);
  }
  return Value(Type::set(std::move(element)), std::make_shared<const Elements>(std::move(elements))).marked(marks);
}

Value Value::tuple(Elements elements) {
  std::vector<Type> types;
  types.reserve(elements.size());
  for (const Value& v : elements) types.push_back(v.type());
  return {Type::tuple(std::move(types)), std::make_shared<const Elements>(std::move(elements))};
}

Value Value::object(Entries entries) {
  std::map<std::string, Type> types;
  for (const auto& [key, v] : entries) types.emplace_hint(types.end(), key, v.type());
  return {Type::object(std::move(types)), std::make_shared<const Entries>(std::move(entries))};
}

Value Value::strings(std::span<const std::string> texts) {
  Elements elements;
  elements.reserve(texts.size());
  for (const std::string& text : texts) elements.push_back(string(text));
  return list(Type::string(), std::move(elements));
}

const std::string& Value::text() const {
  return *std::get<std::shared_ptr<const std::string>>(data_);
}
const Number& Value::number() const {
  return std::get<Number>(data_);
}
bool Value::truth() const {
  return std::get<bool>(data_);
}
const Value::Elements& Value::elements() const {
  return *std::get<std::shared_ptr<const Elements>>(data_);
}
const Value::Entries& Value::entries() const {
  return *std::get<std::shared_ptr<const Entries>>(data_);
}

std::size_t Value::length() const {
  return is(Kind::map) || is(Kind::object) ? entries().size() : elements().size();
}

namespace {

/// Calls visit for each direct part of a known list, set, tuple, map or object.
template <class F>
void each_inner(const Value& v, F visit) {
  if (!v.is_known() || v.type().is_primitive()) return;
  if (v.is(Kind::map) || v.is(Kind::object)) {
    for (const auto& [key, part] : v.entries()) visit(part);
  } else {
    for (const Value& part : v.elements()) visit(part);
  }
}

}  // namespace

Refinement Value::refinement() const {
  if (is_null()) return {};
  if (is_unknown()) {
    const auto* known = std::get_if<std::shared_ptr<const Refinement>>(&data_);
    return known != nullptr ? **known : Refinement();
  }
  Refinement out = {.not_null = true};
  if (is(Kind::number)) out.least = out.most = {number(), true};
  if (type_.is_collection()) out.min_length = out.max_length = length();
  return out;
}

Value Value::refined(const Refinement& more) const {
  return is_unknown() ? unknown(type_, both(refinement(), more)).marked(marks_) : *this;
}

Value Value::marked(Marks marks) const {
  Value v = *this;
  v.marks_ |= marks;
  return v;
}

Value Value::unmarked() const {
  Value v = *this;
  v.marks_ = {};
  return v;
}

Value Value::deep_unmarked() const {
  if (deep_marks().empty()) return *this;
  Value v = unmarked();
  v.inner_marks_ = {};
  if (!is_known() || type_.is_primitive()) return v;
  if (is(Kind::map) || is(Kind::object)) {
    Entries copy = entries();
    for (auto& [key, part] : copy) part = part.deep_unmarked();
    v.data_ = std::make_shared<const Entries>(std::move(copy));
  } else {
    Elements copy = elements();
    for (Value& part : copy) part = part.deep_unmarked();
    v.data_ = std::make_shared<const Elements>(std::move(copy));
  }
  return v;
}

bool Value::operator==(const Value& other) const {
  if (state_ != other.state_ || marks_ != other.marks_ || !(type_ == other.type_)) return false;
  if (is_null()) return true;
  if (is_unknown()) return refinement() == other.refinement();
  switch (type_.kind()) {
    case Kind::string:
      return text() == other.text();
    case Kind::number:
      return number() == other.number();
    case Kind::boolean:
      return truth() == other.truth();
    case Kind::map:
    case Kind::object:
      return entries() == other.entries();
    default:
      return elements() == other.elements();
  }
}

namespace {

/// Whether what is known of the unknown value shows that it is not this known one.
bool excluded(const Value& unknown, const Value& known) {
  if (!conforms(known.type(), unknown.type())) return true;
  const Refinement open = unknown.refinement();
  if (known.is(Kind::string)) return !known.text().starts_with(open.prefix);
  if (known.type().is_collection()) return known.length() < open.min_length || known.length() > open.max_length;
  if (!known.is(Kind::number)) return false;
  const auto outside = [&](const std::optional<Refinement::Bound>& bound, std::strong_ordering side) {
    if (!bound) return false;
    const auto place = known.number() <=> bound->number;
    return place == side || (std::is_eq(place) && !bound->inclusive);
  };
  return outside(open.least, std::strong_ordering::less) || outside(open.most, std::strong_ordering::greater);
}

/// Whether the types of all parts are certain.
bool has_whole_type(const Value& v) {
  if (v.is_wholly_known()) return true;
  if (v.is_unknown()) return !v.type().has_dynamic();
  bool whole = true;
  each_inner(v, [&whole](const Value& part) { whole = whole && has_whole_type(part); });
  return whole;
}

std::optional<bool> same(const Value& a, const Value& b);

/// For known values of one type. In lists the first elements that are not surely equal decide.
std::optional<bool> same_parts(const Value& a, const Value& b) {
  if (a.length() != b.length()) return false;
  std::optional<bool> all = true;
  if (!a.is(Kind::map) && !a.is(Kind::object)) {
    for (std::size_t i = 0; i < a.length() && all == true; ++i) all = same(a.elements()[i], b.elements()[i]);
    return all;
  }
  for (auto i = a.entries().begin(), j = b.entries().begin(); i != a.entries().end() && all != false; ++i, ++j) {
    const std::optional<bool> one = i->first == j->first ? same(i->second, j->second) : false;
    if (one != true) all = one;
  }
  return all;
}

/// equals() without marks, where all types are certain: nothing when it depends on something unknown.
std::optional<bool> same(const Value& a, const Value& b) {
  if (a.is_null() && b.is_null()) return true;
  if (a.is_null() || b.is_null()) return (a.is_null() ? b : a).is_not_null() ? std::optional(false) : std::nullopt;
  if (a.is_unknown() && b.is_unknown()) return std::nullopt;
  if (a.is_unknown() || b.is_unknown()) {
    const bool differ = a.is_unknown() ? excluded(a, b) : excluded(b, a);
    return differ ? std::optional(false) : std::nullopt;
  }
  if (!(a.type() == b.type())) return false;
  return a.type().is_primitive() ? std::is_eq(order(a, b)) : same_parts(a, b);
}

}  // namespace

Value equals(const Value& a, const Value& b) {
  const Marks marks = a.deep_marks() | b.deep_marks();
  std::optional<bool> answer;
  if (a.is_known() && b.is_known() && (!has_whole_type(a) || !has_whole_type(b))) {
    if (!conforms(a.type(), b.type()) && !conforms(b.type(), a.type())) answer = false;
  } else {
    answer = same(a, b);
  }
  return (answer ? Value::boolean(*answer) : Value::unknown(Type::boolean()).not_null()).marked(marks);
}

std::strong_ordering order(const Value& a, const Value& b) {
  if (a.is_known() != b.is_known()) return a.is_known() ? std::strong_ordering::less : std::strong_ordering::greater;
  if (!a.is_known()) return std::strong_ordering::equal;
  if (a.type().kind() != b.type().kind()) return a.type().kind() <=> b.type().kind();
  switch (a.type().kind()) {
    case Kind::string:
      return a.text().compare(b.text()) <=> 0;
    case Kind::number:
      return a.number() <=> b.number();
    case Kind::boolean:
      return a.truth() <=> b.truth();
    case Kind::map:
    case Kind::object: {
      auto i = a.entries().begin();
      auto j = b.entries().begin();
      for (; i != a.entries().end() && j != b.entries().end(); ++i, ++j) {
        if (const auto keys = i->first.compare(j->first) <=> 0; std::is_neq(keys)) return keys;
        if (const auto parts = order(i->second, j->second); std::is_neq(parts)) return parts;
      }
      return a.entries().size() <=> b.entries().size();
    }
    default:
      for (std::size_t i = 0; i < std::min(a.length(), b.length()); ++i) {
        if (const auto parts = order(a.elements()[i], b.elements()[i]); std::is_neq(parts)) return parts;
      }
      return a.length() <=> b.length();
  }
}

void collect_texts(const Value& value, std::vector<std::string>& out) {
  if (!value.is_known()) return;
  switch (value.type().kind()) {
    case Kind::string:
      out.push_back(value.text());
      return;
    case Kind::number:
      out.push_back(value.number().text());
      return;
    case Kind::boolean:
      out.emplace_back(value.truth() ? "true" : "false");
      return;
    default:
      each_inner(value, [&](const Value& part) { collect_texts(part, out); });
  }
}

}  // namespace kiln::tmpl
