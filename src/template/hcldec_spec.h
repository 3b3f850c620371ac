// A specification for hcldec as a tree, and how it is read from its file. Private to hcldec*.cc.
#pragma once

#include "template/body_content.h"
#include "template/evaluate.h"

namespace kiln::tmpl {

struct Spec;
using SpecPtr = std::unique_ptr<const Spec>;

struct Spec {
  enum class Kind : std::uint8_t {
    object,
    tuple,
    attribute,
    literal,
    fallback,  // default: the first that is not null
    transform,
    block,
    block_list,
    block_set,
    block_tuple,
    block_map,
    block_attributes
  } kind = Kind::literal;
  std::string name;  // of the argument or block type
  Type type;         // attribute; elements of block_attributes
  bool required = false;
  std::uint64_t least = 0, most = 0;    // blocks; most 0: any number
  std::vector<std::string> labels;      // block_map
  Value value;                          // literal
  std::map<std::string, SpecPtr> keys;  // object
  std::vector<SpecPtr> parts;           // tuple, fallback (two), transform and blocks (one)
  const Expr* result = nullptr;         // transform; empty: null
  bool is_block() const { return kind >= Kind::block; }
};

/// What expressions may use.
struct SpecScope {
  std::shared_ptr<Scope> names = std::make_shared<Scope>();
  FunctionTable functions;
};

/// A specification file: variables and functions for the input, and the specification itself.
struct SpecFile {
  SpecScope scope;
  SpecPtr root;
};
SpecFile read_spec(const SyntaxBody& body, const World& world, Diagnostics& diagnostics);

/// The functions that specifications may call.
const FunctionTable& spec_functions();

/// The function blocks of a specification file.
void read_functions(const SyntaxBody& body, const World& world, Taken& taken, FunctionTable& out,
                    Diagnostics& diagnostics);

/// Evaluates with exactly these names and functions.
Value evaluate_in(const Expr& expr, const Scope& names, const FunctionTable& functions, const World& world,
                  Diagnostics& diagnostics);

/// hcldec_decode.cc: what a body must hold for the specification.
BodySchema implied_schema(const Spec& spec);
/// The type of what is decoded, as far as it is known without a body.
Type implied_type(const Spec& spec, const World& world);
Value decode(const Spec& spec, const SyntaxBody& body, const SpecScope& scope, const World& world,
             Diagnostics& diagnostics);

/// hcldec_refs.cc: the references in what the specification reads of the body, as a JSON array.
std::string references_json(const Spec& spec, const SyntaxBody& body, const SpecScope& scope, const World& world);

}  // namespace kiln::tmpl
