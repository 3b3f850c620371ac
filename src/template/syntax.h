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
};

/// base.attr, base[index], base.*.rest, base[*].rest
struct PostfixExpr {
  ExprPtr base;
  std::vector<Step> steps;
};

struct UnaryExpr {
  std::string operators;  // '-' and '!', outermost first
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
    ExprPtr key, value;  // a bare name as a key is already a literal
  };
  std::vector<Item> items;
};
struct ForExpr {
  std::string key_name, value_name;  // key_name may be empty
  ExprPtr collection;
  ExprPtr key;  // set: makes an object
  ExprPtr value;
  ExprPtr condition;  // may be empty
  bool group = false;
};
struct CallExpr {
  std::string name;
  Span name_span;
  std::vector<ExprPtr> arguments;
  bool expand = false;  // last argument has ...
};

struct TemplateIf;
struct TemplateFor;
struct TemplatePart {
  Span span;
  std::variant<std::string, ExprPtr, std::unique_ptr<const TemplateIf>, std::unique_ptr<const TemplateFor>> what;
};
using TemplateParts = std::vector<TemplatePart>;
struct TemplateIf {
  ExprPtr condition;
  TemplateParts yes, no;
};
struct TemplateFor {
  std::string key_name, value_name;
  ExprPtr collection;
  TemplateParts body;
};
struct TemplateExpr {
  TemplateParts parts;
  bool wrap = false;  // only one ${e}: the value is e's, whatever its type
};

struct Expr {
  const SourceFile* file = nullptr;
  Span span;
  std::variant<LiteralExpr, NameExpr, PostfixExpr, UnaryExpr, BinaryExpr, ConditionalExpr, TupleExpr, ObjectExpr,
               ForExpr, CallExpr, TemplateExpr>
      node;
  Range range() const { return file->range(span); }
};

struct Attribute {
  std::string name;
  Span name_span;
  ExprPtr expr;
};

struct Block;
/// The content of a file or block, in order of appearance.
struct SyntaxBody {
  const SourceFile* file = nullptr;
  Span span;
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
  std::vector<Span> label_spans;
  SyntaxBody body;
  Range range() const { return body.file->range(header); }
};

}  // namespace kiln::tmpl
