// The XML that Amazon's older services answer with: elements and text. No attributes, namespaces or entities of its own
// are kept; declarations and comments are passed over.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kiln::cloud {

struct XmlElement {
  std::string name, text;  // text: without that of the elements inside
  std::vector<XmlElement> inside;

  /// The first element of that name inside, or nothing.
  const XmlElement* find(std::string_view wanted) const;
  /// The text of that element, or nothing.
  std::string text_of(std::string_view wanted) const;
};

/// The root element. Errc::corrupt for text that is not XML, or nests deeper than 50 levels.
Result<XmlElement> parse_xml(std::string_view text);

}  // namespace kiln::cloud
