#include "template/expand.h"

#include "template/convert.h"

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
      const auto* word = std::get_if<NameExpr>(&a.expr->node);
      if (word == nullptr)
        fail(evaluation, a.expr->range(), "Invalid dynamic block", "iterator must be a single name.");
      if (word != nullptr) out.iterator = word->name;
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
    if (out.size() <= kMaxDynamicBlocks) return true;
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

Body evaluate_body(const SyntaxBody& body, const std::shared_ptr<const Scope>& scope, Evaluation& evaluation,
                   const std::set<std::string>& without) {
  Body out;
  out.range = body.file->range(body.span);
  for (const Attribute& a : body.attributes) {
    if (without.contains(a.name)) continue;
    out.options[a.name] = {evaluate(*a.expr, *scope, evaluation), a.expr->range(), body.file->range(a.name_span)};
  }
  for (const ExpandedBlock& block : expand_blocks(body, scope, evaluation)) {
    auto inside = std::make_shared<const Body>(evaluate_body(*block.body, block.scope, evaluation));
    out.blocks[block.type].push_back({block.labels, std::move(inside), block.source->range()});
  }
  return out;
}

}  // namespace kiln::tmpl
