// yamlencode and yamldecode, with libyaml for the syntax. Anchors and "<<" work, keys become strings; what scalars mean
// is in yaml_scalar.h.
#include <yaml.h>

#include <cstring>
#include <utility>

#include "template/convert.h"
#include "template/functions_support.h"
#include "template/yaml_scalar.h"

namespace kiln::tmpl {

namespace {

/// Feeds events to libyaml's emitter and keeps what it writes.
class Writer {
 public:
  Writer() {
    ready_ = yaml_emitter_initialize(&emitter_) == 1;
    yaml_emitter_set_output(&emitter_, append, &out_);
    yaml_emitter_set_unicode(&emitter_, 1);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { yaml_emitter_delete(&emitter_); }

  Result<std::string> document(const Value& v) {
    yaml_event_t event;
    yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
    TRY(emit(event));
    yaml_document_start_event_initialize(&event, nullptr, nullptr, nullptr, 1);
    TRY(emit(event));
    TRY(value(v));
    yaml_document_end_event_initialize(&event, 1);
    TRY(emit(event));
    yaml_stream_end_event_initialize(&event);
    TRY(emit(event));
    // Packer's writer ends a document with "..." when it is one plain scalar, libyaml behind a block that keeps its
    // last line ends.
    const bool plain = v.is_null() || v.is(Kind::number) || v.is(Kind::boolean);
    constexpr std::string_view kEnd = "\n...\n";
    if (out_.ends_with(kEnd)) out_.resize(out_.size() - kEnd.size() + 1);
    if (plain) out_ += kEnd.substr(1);
    return out_;
  }

 private:
  static int append(void* to, unsigned char* bytes, std::size_t n) {
    auto& out = *static_cast<std::string*>(to);
    if (out.size() + n > kMaxString) return 0;
    out.append(reinterpret_cast<const char*>(bytes), n);
    return 1;
  }

  Result<> emit(yaml_event_t& event) {
    if (!ready_ || yaml_emitter_emit(&emitter_, &event) != 1)
      return error(
          Errc::bad_template, "writing YAML: {}",
          out_.size() + 65'536 > kMaxString || emitter_.problem == nullptr ? "the text is too long" : emitter_.problem);
    return {};
  }

  Result<> scalar(std::string_view text, yaml_scalar_style_t style) {
    yaml_event_t event;
    yaml_scalar_event_initialize(&event, nullptr, nullptr,
                                 reinterpret_cast<const yaml_char_t*>(text.data() == nullptr ? "" : text.data()),
                                 static_cast<int>(text.size()), 1, 1, style);
    return emit(event);
  }
  Result<> string(const std::string& text) {
    const bool lines = text.find('\n') != std::string::npos;
    return scalar(text, lines ? YAML_LITERAL_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
  }

  /// Depth is that of the value, which is bounded.
  Result<> value(const Value& v) {
    if (v.is_null()) return scalar("null", YAML_PLAIN_SCALAR_STYLE);
    if (v.is(Kind::string)) return string(v.text());
    if (v.is(Kind::number)) return scalar(v.number().text(), YAML_PLAIN_SCALAR_STYLE);
    if (v.is(Kind::boolean)) return scalar(v.truth() ? "true" : "false", YAML_PLAIN_SCALAR_STYLE);
    yaml_event_t event;
    if (is_mapping(v.type())) {
      yaml_mapping_start_event_initialize(&event, nullptr, nullptr, 1, YAML_BLOCK_MAPPING_STYLE);
      TRY(emit(event));
      for (const auto& [name, part] : v.entries()) {
        TRY(string(name));
        TRY(value(part));
      }
      yaml_mapping_end_event_initialize(&event);
    } else {
      yaml_sequence_start_event_initialize(&event, nullptr, nullptr, 1, YAML_BLOCK_SEQUENCE_STYLE);
      TRY(emit(event));
      for (const Value& part : v.elements()) TRY(value(part));
      yaml_sequence_end_event_initialize(&event);
    }
    return emit(event);
  }

  yaml_emitter_t emitter_{};
  std::string out_;
  bool ready_ = false;
};

Result<Value> yamlencode(Arguments a, FunctionContext&) {
  if (!a[0].is_wholly_known()) return Value::unknown(Type::string());
  Writer writer;
  const std::string text = TRY(writer.document(a[0]));
  return text_value(text);
}

/// The name behind "tag:yaml.org,2002:"; empty without a tag; nothing for tags of others.
std::optional<std::string_view> tag_name(const yaml_char_t* tag) {
  constexpr std::string_view kPrefix = "tag:yaml.org,2002:";
  if (tag == nullptr) return std::string_view();
  const std::string_view s = reinterpret_cast<const char*>(tag);
  if (!s.starts_with(kPrefix)) return std::nullopt;
  return s.substr(kPrefix.size());
}

/// One event of the parser, let go by itself.
struct Event {
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&event); }
  yaml_event_t event{};
};

class Reader {
 public:
  explicit Reader(const std::string& text) {
    ready_ = yaml_parser_initialize(&parser_) == 1;
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { yaml_parser_delete(&parser_); }

  Result<Value> document() {
    Event start, document, end, last;
    TRY(next(start));
    TRY(next(document));
    if (document.event.type != YAML_DOCUMENT_START_EVENT) return bad(document, "missing start of document");
    Value v = TRY(value(1));
    TRY(next(end));
    TRY(next(last));
    if (last.event.type != YAML_STREAM_END_EVENT) return bad(last, "only a single document is allowed");
    return v;
  }

 private:
  Error at(const yaml_mark_t& mark, std::string_view what) const {
    return error(Errc::bad_template, "on line {}, column {}: {}", mark.line + 1, mark.column + 1, what);
  }
  Error bad(const Event& e, std::string_view what) const { return at(e.event.start_mark, what); }

  Result<> next(Event& e) {
    if (ready_ && yaml_parser_parse(&parser_, &e.event) == 1) return {};
    return at(parser_.problem_mark, parser_.problem == nullptr ? "no memory" : parser_.problem);
  }

  Result<Value> value(std::size_t depth) {
    Event e;
    TRY(next(e));
    return value(e, depth);
  }

  Result<Value> value(const Event& e, std::size_t depth) {
    if (depth > kMaxValueDepth) return bad(e, fmt::format("more than {} levels of nesting", kMaxValueDepth));
    if (++count_ > kMaxCollection) return bad(e, fmt::format("more than {} values", kMaxCollection));
    switch (e.event.type) {
      case YAML_ALIAS_EVENT:
        return alias(e);
      case YAML_SCALAR_EVENT:
        return anchored(e.event.data.scalar.anchor, scalar(e));
      case YAML_SEQUENCE_START_EVENT:
        return anchored(e.event.data.sequence_start.anchor, sequence(e, depth));
      case YAML_MAPPING_START_EVENT:
        return anchored(e.event.data.mapping_start.anchor, mapping(e, depth));
      default:
        return bad(e, "expecting value but found the end");
    }
  }

  Result<Value> anchored(const yaml_char_t* anchor, Result<Value> v) {
    if (v && anchor != nullptr) anchors_[reinterpret_cast<const char*>(anchor)] = *v;
    return v;
  }

  Result<Value> alias(const Event& e) {
    const char* name = reinterpret_cast<const char*>(e.event.data.alias.anchor);
    const auto it = anchors_.find(name);
    if (it == anchors_.end()) return bad(e, fmt::format("reference to undefined anchor \"{}\"", name));
    count_ += it->second.weight();
    if (count_ > kMaxCollection) return bad(e, "aliases make the document too large");
    return it->second;
  }

  Result<Value> scalar(const Event& e) const {
    const auto& s = e.event.data.scalar;
    const std::string text(reinterpret_cast<const char*>(s.value), s.length);
    const auto tag = tag_name(s.tag);
    if (!tag || (!tag->empty() && !is_scalar_tag(*tag)))
      return bad(e, fmt::format("unsupported tag \"{}\"", reinterpret_cast<const char*>(s.tag)));
    const bool quoted = s.style == YAML_SINGLE_QUOTED_SCALAR_STYLE || s.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    const bool plain = s.style == YAML_PLAIN_SCALAR_STYLE;
    if ((quoted && *tag != "binary") || (!plain && tag->empty())) return Value::string(text);
    auto v = tag->empty() ? implicit_value(text) : tagged_value(*tag, text);
    if (!v) return bad(e, v.error().text());
    return v;
  }

  Result<Value> sequence(const Event& start, std::size_t depth) {
    const auto tag = tag_name(start.event.data.sequence_start.tag);
    if (!tag || (!tag->empty() && *tag != "seq")) return bad(start, "this tag is not for sequences");
    Value::Elements elements;
    for (;;) {
      Event e;
      TRY(next(e));
      if (e.event.type == YAML_SEQUENCE_END_EVENT) return Value::tuple(std::move(elements));
      elements.push_back(TRY(value(e, depth + 1)));
    }
  }

  Result<Value> mapping(const Event& start, std::size_t depth) {
    const auto tag = tag_name(start.event.data.mapping_start.tag);
    if (!tag || (!tag->empty() && *tag != "map")) return bad(start, "this tag is not for mappings");
    Value::Entries entries;
    for (;;) {
      Event e;
      TRY(next(e));
      if (e.event.type == YAML_MAPPING_END_EVENT) return Value::object(std::move(entries));
      if (is_merge_key(e)) {
        const Value merged = TRY(value(depth + 1));
        TRY(merge(e, merged, entries));
      } else {
        const std::string name = TRY(key(e));
        entries[name] = TRY(value(depth + 1));
      }
    }
  }

  static bool is_merge_key(const Event& e) {
    if (e.event.type != YAML_SCALAR_EVENT) return false;
    const auto& s = e.event.data.scalar;
    const auto tag = tag_name(s.tag);
    return (s.tag == nullptr && std::strcmp(reinterpret_cast<const char*>(s.value), "<<") == 0) || tag == "merge";
  }

  Result<std::string> key(const Event& e) const {
    if (e.event.type != YAML_SCALAR_EVENT) return bad(e, "only strings are allowed as mapping keys");
    const Value v = TRY(scalar(e));
    if (v.is_null()) return bad(e, "mapping key cannot be null");
    const Value name = TRY(convert(v, Type::string()));
    return name.text();
  }

  /// "<<": adds the entries of a mapping, or of all mappings of a sequence.
  Result<> merge(const Event& e, const Value& v, Value::Entries& entries) const {
    const Value::Elements parts = v.is(Kind::tuple) && v.is_known() ? v.elements() : Value::Elements{v};
    for (const Value& part : parts) {
      if (!part.is(Kind::object) || !part.is_known()) return bad(e, "only mappings can be merged into a mapping");
      for (const auto& [name, entry] : part.entries()) entries[name] = entry;
    }
    return {};
  }

  yaml_parser_t parser_{};
  std::map<std::string, Value> anchors_;
  std::size_t count_ = 0;
  bool ready_ = false;
};

Result<Value> yamldecode(Arguments a, FunctionContext& context) {
  Reader reader(a[0].text());
  auto v = reader.document();
  if (!v) return context.bad_argument(0, "{}", v.error().text());
  return v;
}

}  // namespace

void add_yaml_functions(FunctionTable& t) {
  t["yamlencode"] = {
      .parameters = {{.name = "value", .allow_null = true, .allow_unknown = true, .allow_partial = true}},
      .result = Type::string(),
      .call = yamlencode};
  t["yamldecode"] = {.parameters = {text_parameter("src")}, .call = yamldecode};
}

}  // namespace kiln::tmpl
