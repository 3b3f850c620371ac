// Values as one line of text, for the tables of tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "template/functions_support.h"
#include "template/value.h"

namespace kiln::tmpl {

inline std::string show_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const bool named = c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t';
    if (named) {
      out += {'\\', c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : c};
    } else if ((c >= 0 && c < 0x20) || c == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

/// " (not null, >= 1)": what is known of an unknown value.
inline std::string show_known(const Value& v) {
  const Refinement known = v.refinement();
  std::vector<std::string> parts;
  if (known.not_null) parts.emplace_back("not null");
  if (!known.prefix.empty()) parts.push_back("begins " + show_text(known.prefix));
  if (known.least) parts.push_back((known.least->inclusive ? ">= " : "> ") + known.least->number.text());
  if (known.most) parts.push_back((known.most->inclusive ? "<= " : "< ") + known.most->number.text());
  if (known.min_length > 0) parts.push_back(fmt::format("length >= {}", known.min_length));
  if (known.max_length < INT64_MAX) parts.push_back(fmt::format("length <= {}", known.max_length));
  return parts.empty() ? "" : " (" + join(parts, ", ") + ")";
}

/// A value on one line: "!" before what is marked, the type before collections, null and unknown.
inline std::string show(const Value& v) {
  const std::string mark = v.marks().empty() ? "" : "!";
  if (v.is_unknown()) return mark + "unknown " + v.type().text() + show_known(v);
  if (v.is_null()) return mark + "null " + v.type().text();
  if (v.is(Kind::string)) return mark + show_text(v.text());
  if (v.is(Kind::number)) return mark + v.number().text();
  if (v.is(Kind::boolean)) return mark + (v.truth() ? "true" : "false");
  std::vector<std::string> parts;
  if (is_mapping(v.type())) {
    for (const auto& [name, part] : v.entries()) parts.push_back(name + "=" + show(part));
  } else {
    for (const Value& part : v.elements()) parts.push_back(show(part));
  }
  if (v.is(Kind::object)) return mark + "{" + join(parts, ", ") + "}";
  return mark + (v.is(Kind::tuple) ? "" : v.type().text()) + "[" + join(parts, ", ") + "]";
}

}  // namespace kiln::tmpl
