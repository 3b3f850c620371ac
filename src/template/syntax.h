// The syntax tree of HCL's native syntax: bodies of attributes and blocks, and expressions. Plain data; nothing is
// evaluated here. Every node knows its bytes in a SourceFile, which outlives the tree. Chains (a+b+c, a.b.c) are flat,
// so that the depth of the tree is the depth of nesting, which the parser limits.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "template/source_file.h"
#include "template/value.h"

namespace kiln::tmpl {

struct Expr;
using ExprPtr = std::unique_ptr<const Expr>;

struct LiteralExpr {
  Value value;
  std::optional<Span> inside = {};  // of a quoted string: what stands between the quotes
};
struct ParenExpr {
  ExprPtr inside;
};
/// A root name: var, local, the variable of a for ...
struct NameExpr {
  std::string name;
};

struct Step {
  Span span;
  enum class How : std::uint8_t { attribute, index, attribute_splat, full_splat } how = How::attribute;
  std::string name;          // attribute
  ExprPtr index;             // index
  std::vector<Step> inside;  // splats: applied to each element
  Span marker;               // splats: .* or [*]
};

/// base.attr, base[index], base.*.rest, base[*].rest
struct PostfixExpr {
  ExprPtr base;
  std::vector<Step> steps;
};

struct UnaryExpr {
  struct Sign {
    char sign;  // '-' or '!'
    std::uint32_t at;
  };
  std::vector<Sign> signs;  // outermost first
  ExprPtr operand;
};

enum class Op : std::uint8_t {
  logical_or,
  logical_and,
  equal,
  not_equal,
  greater,
  at_least,
  less,
  at_most,
  add,
  subtract,
  multiply,
  divide,
  modulo
};
/// first (op operand)*, all operators of one precedence, evaluated left to right.
struct BinaryExpr {
  struct Tail {
    Op op;
    ExprPtr operand;
  };
  ExprPtr first;
  std::vector<Tail> rest;
};

struct ConditionalExpr {
  ExprPtr condition, yes, no;
};
struct TupleExpr {
  std::vector<ExprPtr> elements;
};
struct ObjectExpr {
  struct Item {
    ExprPtr key, value;   // a bare name as a key is already a literal
    bool forced = false;  // the key begins with a parenthesis: a path there is a reference
  };
  std::vector<Item> items;
  bool json = false;  // a property twice is an error
};
struct ForExpr {
  std::string key_name, value_name;  // key_name may be empty
  ExprPtr collection;
  ExprPtr key;  // set: makes an object
  ExprPtr value;
  ExprPtr condition;  // may be empty
  bool group = false;
  Span open;  // the bracket, or the %{for} sequence
};
struct CallExpr {
  std::string name;
  Span name_span;
  std::vector<ExprPtr> arguments;
  bool expand = false;  // last argument has ...
  Span open, close;     // the parentheses
};

/// Texts (literals), ${} and directives: %{if} is a conditional of templates, %{for} a join of a for.
struct TemplateExpr {
  std::vector<ExprPtr> parts;
  bool wrap = false;  // only one ${e}: the value is e's, whatever its type
};
/// The elements of a for, as strings one behind the other.
struct JoinExpr {
  ExprPtr loop;
};

/// A string of a JSON file, which is a template: what is wrong with it is reported when its value is wanted.
struct LateExpr {
  ExprPtr expr;  // may be empty
  Diagnostics problems;
  std::shared_ptr<const SourceFile> file;
};

struct Expr {
  const SourceFile* file = nullptr;
  Span span;
  std::variant<LiteralExpr, ParenExpr, NameExpr, PostfixExpr, UnaryExpr, BinaryExpr, ConditionalExpr, TupleExpr,
               ObjectExpr, ForExpr, CallExpr, TemplateExpr, JoinExpr, LateExpr>
      node;
  Range range() const { return file->range(span); }
};

/// Where the operator or bracket stands that makes the expression what it is: what messages about an argument name.
Span start_of(const Expr& expr);

/// Without the parentheses around it.
const Expr& unwrapped(const Expr& expr);

/// A literal that may stand in an index of a path: a[0], a["b"].
const LiteralExpr* literal_key(const Step& step);

/// How many steps of expr, if it is a path from a name, belong to the path: attributes and literal indices.
std::size_t path_steps(const PostfixExpr& expr);

struct Attribute {
  std::string name;
  Span name_span;
  ExprPtr expr;
};

struct Block;
struct JsonNode;  // json_syntax.h
/// The content of a file or block, in order of appearance.
struct SyntaxBody {
  const SourceFile* file = nullptr;
  Span span;                                  // of a block: from its opening brace
  Span missing;                               // where something would have to be added
  std::shared_ptr<const JsonNode> json = {};  // of a JSON file: what this is depends on what is looked for
  std::vector<Attribute> attributes;
  std::vector<Block> blocks;
  const Attribute* find(std::string_view name) const {
    for (const Attribute& a : attributes) {
      if (a.name == name) return &a;
    }
    return nullptr;
  }
};
struct Block {
  std::string type;
  std::vector<std::string> labels;
  Span type_span, header;  // header: type and labels
  Span open;               // the opening brace
  std::vector<Span> label_spans;
  SyntaxBody body;
  Range range() const { return body.file->range(header); }
};

}  // namespace kiln::tmpl
