#include "template/expr_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace kiln::tmpl {

namespace {

const char* sign_of(Op op) {
  static constexpr const char* kSigns[] = {"||", "&&", "==", "!=", ">", ">=", "<", "<=", "+", "-", "*", "/", "%"};
  return kSigns[static_cast<std::size_t>(op)];
}

/// What stands between the quotes.
std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if ((c == '$' || c == '%') && i + 1 < text.size() && text[i + 1] == '{') {
      out += {c, c};
    } else if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n' || c == '\r' || c == '\t') {
      out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

class Writer {
 public:
  explicit Writer(const NewNames& names) : names_(names) {}
  std::string text(const Expr& e) const {
    return std::visit([&](const auto& node) { return write(node); }, e.node);
  }

 private:
  std::string write(const LiteralExpr& l) const {
    if (l.value.is_null()) return "null";
    if (l.value.type() == Type::string()) return quoted_text(l.value.text());
    return l.value.type() == Type::number() ? l.value.number().text() : l.value.truth() ? "true" : "false";
  }
  std::string write(const ParenExpr& p) const { return "(" + text(*p.inside) + ")"; }
  std::string write(const NameExpr& n) const { return n.name; }
  std::string write(const PostfixExpr& p) const {
    std::string out = operand(*p.base);
    if (out == "local" && !p.steps.empty() && key_of(p.steps[0]) == "timestamp") return "local." + names_.timestamp;
    if (out == "var" && !p.steps.empty() && names_.locals.contains(key_of(p.steps[0]))) out = "local";
    return out + steps(p.steps);
  }
  std::string write(const UnaryExpr& u) const {
    std::string out;
    for (const auto& sign : u.signs) out += sign.sign;
    return out + operand(*u.operand);
  }
  std::string write(const BinaryExpr& b) const {
    std::string out = operand(*b.first);
    for (const auto& tail : b.rest) out += fmt::format(" {} {}", sign_of(tail.op), operand(*tail.operand));
    return out;
  }
  std::string write(const ConditionalExpr& c) const {
    return fmt::format("{} ? {} : {}", operand(*c.condition), operand(*c.yes), operand(*c.no));
  }
  std::string write(const TupleExpr& t) const { return "[" + list(t.elements) + "]"; }
  std::string write(const ObjectExpr& o) const;
  std::string write(const ForExpr& f) const;
  std::string write(const CallExpr& c) const {
    const auto* name = c.arguments.empty() ? nullptr : std::get_if<LiteralExpr>(&c.arguments[0]->node);
    if (c.name == "env" && names_.environment != nullptr && name != nullptr) {
      names_.environment->insert(name->value.text());
      return "var.env_" + name->value.text();
    }
    return fmt::format("{}({}{})", c.name, list(c.arguments), c.expand ? "..." : "");
  }
  std::string write(const TemplateExpr& t) const { return '"' + parts(t) + '"'; }
  std::string write(const JoinExpr& j) const { return "join(\"\", " + text(*j.loop) + ")"; }
  std::string write(const LateExpr& l) const { return l.expr ? text(*l.expr) : "null"; }

  /// In parentheses where it is made of several.
  std::string operand(const Expr& e) const {
    const bool several = std::holds_alternative<BinaryExpr>(e.node) || std::holds_alternative<ConditionalExpr>(e.node);
    return several ? "(" + text(e) + ")" : text(e);
  }
  std::string list(const std::vector<ExprPtr>& all) const {
    std::string out;
    for (const ExprPtr& e : all) out += (out.empty() ? "" : ", ") + text(*e);
    return out;
  }
  static std::string key_of(const Step& step) {
    if (step.how == Step::How::attribute) return step.name;
    const LiteralExpr* key = literal_key(step);
    return key != nullptr && key->value.type() == Type::string() ? key->value.text() : std::string();
  }
  std::string steps(const std::vector<Step>& all) const;
  std::string parts(const TemplateExpr& t) const;

  const NewNames& names_;
};

std::string Writer::write(const ObjectExpr& o) const {
  if (o.items.empty()) return "{}";
  std::string out = "{\n";
  for (const auto& item : o.items) {
    const auto* key = std::get_if<LiteralExpr>(&item.key->node);
    const bool name = key != nullptr && key->value.type() == Type::string();
    const bool plain = name && is_plain_name(key->value.text());
    out += (plain ? key->value.text() : name ? text(*item.key) : "(" + text(*item.key) + ")") + " = ";
    out += text(*item.value) + "\n";
  }
  return out + "}";
}

std::string Writer::write(const ForExpr& f) const {
  const std::string names = f.key_name.empty() ? f.value_name : f.key_name + ", " + f.value_name;
  const std::string what = f.key ? text(*f.key) + " => " + text(*f.value) + (f.group ? "..." : "") : text(*f.value);
  const std::string when = f.condition ? " if " + text(*f.condition) : "";
  const char* brackets = f.key ? "{}" : "[]";
  return fmt::format("{}for {} in {} : {}{}{}", brackets[0], names, text(*f.collection), what, when, brackets[1]);
}

std::string Writer::steps(const std::vector<Step>& all) const {
  std::string out;
  for (const Step& step : all) {
    const std::string name = key_of(step);
    if (step.how == Step::How::attribute_splat || step.how == Step::How::full_splat) {
      out += (step.how == Step::How::full_splat ? "[*]" : ".*") + steps(step.inside);
    } else {
      out += is_plain_name(name) ? "." + name : "[" + text(*step.index) + "]";
    }
  }
  return out;
}

/// A template inside a template is a part of it.
std::string Writer::parts(const TemplateExpr& t) const {
  std::string out;
  for (const ExprPtr& part : t.parts) {
    const auto* literal = std::get_if<LiteralExpr>(&part->node);
    const auto* inner = std::get_if<TemplateExpr>(&part->node);
    if (literal != nullptr && literal->value.type() == Type::string()) {
      out += escaped(literal->value.text());
    } else {
      out += inner != nullptr ? parts(*inner) : "${" + text(*part) + "}";
    }
  }
  return out;
}

}  // namespace

std::string quoted_text(std::string_view text) {
  return '"' + escaped(text) + '"';
}

bool is_plain_name(std::string_view name) {
  const auto is_letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  if (name.empty() || !is_letter(name[0])) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return is_letter(c) || c == '-' || std::isdigit(static_cast<unsigned char>(c)) != 0;
  });
}

std::string expression_text(const Expr& expr, const NewNames& names) {
  return Writer(names).text(expr);
}

}  // namespace kiln::tmpl
