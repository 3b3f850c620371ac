#include "template/expand.h"

#include <algorithm>

#include "template/convert.h"
#include "template/pkr_json.h"

namespace kiln::tmpl {

namespace {

/// The parts of a dynamic block.
struct Dynamic {
  const Expr* for_each = nullptr;
  const Expr* labels = nullptr;
  std::string iterator;
  const Block* content = nullptr;
};

std::optional<Dynamic> read_dynamic(const Block& block, Evaluation& evaluation) {
  const std::size_t before = evaluation.diagnostics->size();
  if (block.labels.size() != 1) {
    fail(evaluation, block.range(), "Invalid dynamic block",
         "A dynamic block has one label: the type of the blocks it makes.");
    return std::nullopt;
  }
  Dynamic out{.iterator = block.labels[0]};
  for (const Attribute& a : block.body.attributes) {
    const Range name = block.body.file->range(a.name_span);
    if (a.name == "for_each") {
      out.for_each = a.expr.get();
    } else if (a.name == "labels") {
      out.labels = a.expr.get();
    } else if (a.name == "iterator") {
      const auto* word = std::get_if<NameExpr>(&unwrapped(*a.expr).node);
      const auto single = word != nullptr ? std::optional(word->name) : json_text(*a.expr);
      if (!single) fail(evaluation, a.expr->range(), "Invalid dynamic block", "iterator must be a single name.");
      if (single) out.iterator = *single;
    } else {
      fail(evaluation, name, "Unsupported argument",
           fmt::format("An argument named \"{}\" is not expected here.{}", a.name,
                       did_you_mean(a.name, {"for_each", "iterator", "labels"})));
    }
  }
  for (const Block& b : block.body.blocks) {
    if (b.type == "content" && out.content == nullptr) {
      out.content = &b;
    } else {
      fail(evaluation, b.range(), "Invalid dynamic block", "A dynamic block holds exactly one block named content.");
    }
  }
  if (out.for_each == nullptr || out.content == nullptr)
    fail(evaluation, block.range(), "Invalid dynamic block", "A dynamic block needs for_each and a content block.");
  return evaluation.diagnostics->size() == before ? std::optional(out) : std::nullopt;
}

std::vector<std::string> read_labels(const Expr& expr, const Scope& scope, Evaluation& evaluation) {
  std::vector<std::string> out;
  const auto list = convert(evaluate(expr, scope, evaluation), Type::list(Type::string()));
  if (list && (*list).is_wholly_known() && !(*list).is_null()) {
    for (const Value& label : (*list).elements()) out.push_back(label.is_null() ? "" : label.text());
  } else {
    fail(evaluation, expr.range(), "Invalid dynamic block", "labels must be a list of known strings.");
  }
  return out;
}

void expand_dynamic(const Block& block, const std::shared_ptr<const Scope>& scope, Evaluation& evaluation,
                    std::vector<ExpandedBlock>& out) {
  const auto dynamic = read_dynamic(block, evaluation);
  if (!dynamic) return;
  const Value collection = evaluate(*dynamic->for_each, *scope, evaluation);
  const auto add = [&](const Value& key, const Value& part) {
    auto inside = std::make_shared<Scope>(scope);
    inside->set(dynamic->iterator, Value::object({{"key", key}, {"value", part.marked(collection.marks())}}));
    ExpandedBlock made{block.labels[0], {}, &block, &dynamic->content->body, inside};
    if (dynamic->labels != nullptr) made.labels = read_labels(*dynamic->labels, *inside, evaluation);
    out.push_back(std::move(made));
    if (++evaluation.blocks <= kMaxDynamicBlocks && !evaluation.exhausted) return true;
    if (!std::exchange(evaluation.exhausted, true))
      fail(evaluation, block.range(), "Too many blocks",
           fmt::format("Dynamic blocks may make at most {} blocks.", kMaxDynamicBlocks));
    return false;
  };
  if (collection.is_unknown()) {
    add(Value::unknown(), Value::unknown());
  } else if (collection.is_null() || !is_iterable(collection.type())) {
    fail(evaluation, dynamic->for_each->range(), "Invalid dynamic for_each value",
         "for_each must be a list, set, map, tuple or object.");
  } else {
    each_part(collection, add);
  }
}

}  // namespace

std::vector<ExpandedBlock> expand_blocks(const SyntaxBody& body, const std::shared_ptr<const Scope>& scope,
                                         Evaluation& evaluation) {
  std::vector<ExpandedBlock> out;
  for (const Block& block : body.blocks) {
    if (block.type == "dynamic") {
      expand_dynamic(block, scope, evaluation, out);
    } else {
      out.push_back({block.type, block.labels, &block, &block.body, scope});
    }
  }
  return out;
}

namespace {

bool is_json_object(const Expr& expr) {
  const auto* object = std::get_if<ObjectExpr>(&expr.node);
  return object != nullptr && object->json;
}

/// In JSON an object, or an array of them, may be meant as blocks: the one who reads the body knows.
bool may_be_blocks(const Expr& expr) {
  const auto* list = std::get_if<TupleExpr>(&expr.node);
  if (list == nullptr) return is_json_object(expr);
  return !list->elements.empty() &&
         std::all_of(list->elements.begin(), list->elements.end(), [](const ExprPtr& e) { return is_json_object(*e); });
}

NestedBlock block_of(const Value& value, const Range& at) {
  auto body = std::make_shared<Body>();
  body->range = at;
  for (const auto& [name, part] : value.entries()) {
    body->options[name] = {part.marked(value.marks()), at, at};
    const bool list = part.is(Kind::tuple) && part.is_known() && part.length() > 0;
    if (part.is(Kind::object) && part.is_known()) body->blocks[name].push_back(block_of(part, at));
    if (!list) continue;
    for (const Value& element : part.elements()) {
      if (element.is(Kind::object) && element.is_known()) body->blocks[name].push_back(block_of(element, at));
    }
  }
  return {{}, std::move(body), at};
}

void add_json_blocks(Body& out, const std::string& name, const Option& option) {
  const Value& v = option.value;
  if (!v.is_known()) return;
  if (v.is(Kind::object)) {
    out.blocks[name].push_back(block_of(v, option.range));
  } else {
    for (const Value& element : v.elements()) {
      if (element.is_known()) out.blocks[name].push_back(block_of(element, option.range));
    }
  }
}

}  // namespace

Body evaluate_body(const SyntaxBody& body, const std::shared_ptr<const Scope>& scope, Evaluation& evaluation,
                   const std::set<std::string>& without) {
  Body out;
  out.range = body.file->range(body.span);
  for (const Attribute& a : body.attributes) {
    if (without.contains(a.name)) continue;
    Option& option = out.options[a.name];
    option = {evaluate(*a.expr, *scope, evaluation), a.expr->range(), body.file->range(a.name_span)};
    if (may_be_blocks(*a.expr)) add_json_blocks(out, a.name, option);
  }
  for (const ExpandedBlock& block : expand_blocks(body, scope, evaluation)) {
    auto inside = std::make_shared<const Body>(evaluate_body(*block.body, block.scope, evaluation));
    out.blocks[block.type].push_back({block.labels, std::move(inside), block.source->range()});
  }
  return out;
}

}  // namespace kiln::tmpl
