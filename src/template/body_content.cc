#include "template/body_content.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "template/parser.h"

namespace kiln::tmpl {

namespace {

std::string suggestion(const std::string& name, const std::vector<std::string>& known) {
  const auto near = nearest(name, known);
  return near ? fmt::format(" Did you mean \"{}\"?", *near) : std::string();
}

class Reader {
 public:
  Reader(const SyntaxBody& body, const BodySchema& schema, Diagnostics& diagnostics)
      : body_(body), schema_(schema), diagnostics_(diagnostics) {}
  virtual ~Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

 protected:
  void fail(Span span, std::string summary, std::string detail) {
    if (++told_ > kMaxErrors) return;
    diagnostics_.push_back({.summary = std::move(summary),
                            .detail = std::move(detail),
                            .subject = body_.file->range(span),
                            .context = {}});
  }
  void missing(const std::string& name) {
    fail(body_.missing, "Missing required argument",
         fmt::format("The argument \"{}\" is required, and it is not set.", name));
  }
  std::vector<std::string> argument_names() const {
    std::vector<std::string> out;
    for (const auto& a : schema_.arguments) out.push_back(a.name);
    return out;
  }
  std::vector<std::string> block_names() const {
    std::vector<std::string> out;
    for (const auto& b : schema_.blocks) out.push_back(b.type);
    return out;
  }
  const BodySchema::BlockType* block_type(const std::string& type) const {
    const BodySchema::BlockType* found = nullptr;
    for (const auto& b : schema_.blocks) {
      if (b.type == type) found = &b;
    }
    return found;
  }
  bool names_argument(const std::string& name) const {
    return std::any_of(schema_.arguments.begin(), schema_.arguments.end(),
                       [&](const auto& a) { return a.name == name; });
  }

  const SyntaxBody& body_;
  const BodySchema& schema_;
  Diagnostics& diagnostics_;
  std::size_t told_ = 0;  // problems of this body; the first ones will do
};

class NativeReader : public Reader {
 public:
  using Reader::Reader;
  Content part(Taken& taken);
  void rest(const Taken& taken);

 private:
  bool labels_fit(const Block& block, const BodySchema::BlockType& type);
};

bool NativeReader::labels_fit(const Block& block, const BodySchema::BlockType& type) {
  const std::size_t wanted = type.labels.size();
  if (block.labels.size() > wanted) {
    fail(block.label_spans[wanted], "Extraneous label for " + block.type,
         wanted == 0 ? fmt::format("Blocks of type \"{}\" have no labels.", block.type)
                     : fmt::format("Blocks of type \"{}\" have only {} label(s): {}.", block.type, wanted,
                                   join(type.labels, ", ")));
  } else if (block.labels.size() < wanted) {
    fail(block.open, fmt::format("Missing {} for {}", type.labels[block.labels.size()], block.type),
         fmt::format("Blocks of type \"{}\" have {} label(s): {}.", block.type, wanted, join(type.labels, ", ")));
  }
  return block.labels.size() == wanted;
}

Content NativeReader::part(Taken& taken) {
  Content out;
  out.missing = body_.file->range(body_.missing);
  for (const auto& wanted : schema_.arguments) {
    const Attribute* a = body_.find(wanted.name);
    if (a != nullptr && taken.arguments.insert(wanted.name).second) {
      out.arguments[wanted.name] = a;
    } else if (wanted.required) {  // also when it was looked for before
      missing(wanted.name);
    }
  }
  for (const Block& block : body_.blocks) {
    const auto* type = block_type(block.type);
    if (type != nullptr && !taken.blocks.contains(block.type) && labels_fit(block, *type)) out.blocks.push_back(&block);
  }
  for (const auto& b : schema_.blocks) taken.blocks.insert(b.type);
  return out;
}

void NativeReader::rest(const Taken& taken) {
  for (const Attribute& a : body_.attributes) {
    if (taken.arguments.contains(a.name)) continue;
    std::string hint = suggestion(a.name, argument_names());
    if (hint.empty() && block_type(a.name) != nullptr) hint = " Did you mean a block, without \"=\"?";
    fail(a.name_span, "Unsupported argument",
         fmt::format("An argument named \"{}\" is not expected here.{}", a.name, hint));
  }
  for (const Block& b : body_.blocks) {
    if (taken.blocks.contains(b.type)) continue;
    std::string hint = suggestion(b.type, block_names());
    if (hint.empty() && names_argument(b.type)) hint = " Did you mean an argument, with \"=\"?";
    fail(b.type_span, "Unsupported block type",
         fmt::format("Blocks of type \"{}\" are not expected here.{}", b.type, hint));
  }
}

class JsonBodyReader : public Reader {
 public:
  using Reader::Reader;
  Content part(Taken& taken);
  void rest(const Taken& taken);

 private:
  using Properties = std::vector<const JsonNode::Property*>;
  struct Header {
    std::string type;
    Span type_span;
    std::vector<std::string> labels;
    std::vector<Span> label_spans;
  };
  Properties properties(const JsonNode& node, const std::string* label);
  void blocks(const JsonNode& node, const std::vector<std::string>& labels_left, Header header);
  void block(const JsonNode& node, Span open, const Header& header);
  std::shared_ptr<const JsonNode> share(const JsonNode& node) const { return {body_.json, &node}; }
  std::shared_ptr<SyntaxBody> made_ = std::make_shared<SyntaxBody>();
};

/// The properties of an object, or of all objects of an array.
JsonBodyReader::Properties JsonBodyReader::properties(const JsonNode& node, const std::string* label) {
  Properties out;
  const auto bad = [&](const JsonNode& n) {
    fail(n.start(), "Incorrect JSON value type",
         label != nullptr ? fmt::format("An object is needed here, whose names are the {} of blocks.", *label)
                          : std::string("An object is needed here, for arguments and blocks."));
  };
  const auto add = [&](const JsonNode& n) {
    for (const JsonNode::Property& p : n.properties) out.push_back(&p);
  };
  if (node.kind == JsonNode::Kind::object) {
    add(node);
  } else if (node.kind == JsonNode::Kind::array) {
    for (const JsonNode& item : node.items) {
      if (item.kind == JsonNode::Kind::object) {
        add(item);
      } else {
        bad(item);
      }
    }
  } else if (node.kind != JsonNode::Kind::null) {
    bad(node);
  }
  return out;
}

void JsonBodyReader::block(const JsonNode& node, Span open, const Header& header) {
  Block out;
  out.type = header.type;
  out.labels = header.labels;
  out.label_spans = header.label_spans;
  out.type_span = header.type_span;
  out.header = out.open = open;
  out.body = json_body(*body_.file, share(node));
  made_->blocks.push_back(std::move(out));
}

void JsonBodyReader::blocks(const JsonNode& node, const std::vector<std::string>& labels_left, Header header) {
  if (!labels_left.empty()) {
    const Properties inside = properties(node, &labels_left[0]);
    if (inside.empty())
      fail(node.start(), "Missing block label",
           fmt::format("A property is needed here; its name is the {} of the block.", labels_left[0]));
    const std::vector<std::string> rest(labels_left.begin() + 1, labels_left.end());
    for (const JsonNode::Property* p : inside) {
      Header deeper = header;
      deeper.labels.push_back(p->name);
      deeper.label_spans.push_back(p->name_span);
      blocks(p->value, rest, std::move(deeper));
    }
  } else if (node.kind == JsonNode::Kind::object) {
    block(node, node.open, header);
  } else if (node.kind == JsonNode::Kind::array) {
    for (const JsonNode& item : node.items) block(item, node.open, header);
  } else if (node.kind != JsonNode::Kind::null) {
    fail(node.start(), "Incorrect JSON value type",
         fmt::format("An object or an array of objects is needed here, for blocks of type \"{}\".", header.type));
  }
}

Content JsonBodyReader::part(Taken& taken) {
  made_->file = body_.file;
  Taken found;
  for (const JsonNode::Property* p : properties(*body_.json, nullptr)) {
    if (taken.arguments.contains(p->name)) continue;
    if (names_argument(p->name)) {
      if (found.arguments.contains(p->name)) {
        fail(p->name_span, "Duplicate argument",
             fmt::format("The argument \"{}\" was already set. Each may be set only once.", p->name));
        continue;
      }
      made_->attributes.push_back({p->name, p->name_span, json_expression(p->value, JsonStrings::templates)});
    } else if (const auto* type = block_type(p->name)) {
      blocks(p->value, type->labels, {p->name, p->name_span, {}, {}});
    } else {
      continue;
    }
    found.arguments.insert(p->name);
  }
  for (const auto& wanted : schema_.arguments) {
    if (wanted.required && made_->find(wanted.name) == nullptr) missing(wanted.name);
  }
  taken.arguments.merge(found.arguments);
  Content out;
  out.missing = body_.file->range(body_.missing);
  for (const Attribute& a : made_->attributes) out.arguments[a.name] = &a;
  for (const Block& b : made_->blocks) out.blocks.push_back(&b);
  out.made = made_;
  return out;
}

void JsonBodyReader::rest(const Taken& taken) {
  for (const JsonNode::Property* p : properties(*body_.json, nullptr)) {
    if (p->name == "//" || taken.arguments.contains(p->name)) continue;
    std::vector<std::string> known = argument_names();
    for (const std::string& name : block_names()) known.push_back(name);
    fail(p->name_span, "Extraneous JSON object property",
         fmt::format("No argument or block type is named \"{}\".{}", p->name, suggestion(p->name, known)));
  }
}

Content arguments_of_object(const SyntaxBody& body, Diagnostics& diagnostics, JsonStrings strings) {
  Content out;
  auto made = std::make_shared<SyntaxBody>();
  made->file = body.file;
  std::set<std::string> names;
  std::size_t told = 0;
  const auto fail = [&](Span span, std::string summary, std::string detail) {
    if (++told > kMaxErrors) return;
    diagnostics.push_back(
        {.summary = std::move(summary), .detail = std::move(detail), .subject = body.file->range(span), .context = {}});
  };
  if (body.json->kind != JsonNode::Kind::object)
    fail(body.json->start(), "Incorrect JSON value type", "An object is needed here, for the arguments of a block.");
  for (const JsonNode::Property& p : body.json->properties) {
    if (p.name == "//") continue;
    if (!names.insert(p.name).second) {
      fail(p.name_span, "Duplicate attribute definition",
           fmt::format("The argument \"{}\" was already set. Each may be set only once.", p.name));
    } else {
      made->attributes.push_back({p.name, p.name_span, json_expression(p.value, strings)});
    }
  }
  for (const Attribute& a : made->attributes) out.arguments[a.name] = &a;
  out.made = std::move(made);
  return out;
}

}  // namespace

Content read_part(const SyntaxBody& body, const BodySchema& schema, Diagnostics& diagnostics, Taken& taken) {
  return body.json ? JsonBodyReader(body, schema, diagnostics).part(taken)
                   : NativeReader(body, schema, diagnostics).part(taken);
}

Content read_content(const SyntaxBody& body, const BodySchema& schema, Diagnostics& diagnostics, Taken taken) {
  Content out = read_part(body, schema, diagnostics, taken);
  if (body.json) {
    JsonBodyReader(body, schema, diagnostics).rest(taken);
  } else {
    NativeReader(body, schema, diagnostics).rest(taken);
  }
  return out;
}

Content read_arguments(const SyntaxBody& body, Diagnostics& diagnostics, JsonStrings strings) {
  Content out;
  if (body.json) {
    out = arguments_of_object(body, diagnostics, strings);
  } else {
    for (const Attribute& a : body.attributes) out.arguments[a.name] = &a;
    if (!body.blocks.empty())
      diagnostics.push_back({.summary = fmt::format("Unexpected \"{}\" block", body.blocks[0].type),
                             .detail = "Blocks are not allowed here.",
                             .subject = body.file->range(body.blocks[0].type_span),
                             .context = {}});
  }
  out.missing = body.file->range(body.missing);
  return out;
}

}  // namespace kiln::tmpl
