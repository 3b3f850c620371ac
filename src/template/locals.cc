#include "template/locals.h"

#include "base/text.h"
#include "template/data_sources.h"
#include "template/references.h"

namespace kiln::tmpl {

namespace {

/// A local, or a data source under the name "data.TYPE.NAME": both may need each other.
struct Local {
  const Expr* expr = nullptr;
  const Block* data = nullptr;  // instead
  Range range;                  // of the name
  bool sensitive = false;
  enum class State : std::uint8_t { waiting, entered, done } state = State::waiting;
  bool failed = false;  // or needs one that failed
  std::vector<std::string> needs;
  Value value;
};
using Locals = std::map<std::string, Local>;

std::string full_name(const std::string& name, const Local& local) {
  return local.data != nullptr ? name : "local." + name;
}

void add(Loading& loading, Locals& locals, const std::string& name, Local local) {
  const auto [it, fresh] = locals.emplace(name, local);
  if (fresh) return;
  const Range& first = it->second.range;
  loading.error(local.data != nullptr ? "Duplicate data source" : "Duplicate local definition",
                fmt::format("{} was already defined at {}:{},{}.", full_name(name, local), first.file, first.start.line,
                            first.start.column),
                local.range);
}

void read_local(Loading& loading, Locals& locals, const Block& block) {
  if (!check_labels(loading, block, 1, "local \"name\"")) return;
  check_names(loading, block.body, {"expression", "sensitive"}, {});
  const Attribute* a = block.body.find("expression");
  if (a == nullptr) {
    loading.error("Missing required argument", "The argument \"expression\" is required.", block.range());
    return;
  }
  const auto sensitive = constant(loading, block.body, "sensitive", Type::boolean());
  add(loading, locals, block.labels[0],
      {.expr = a->expr.get(), .range = block.range(), .sensitive = sensitive && sensitive->truth()});
}

Locals read_locals(Loading& loading) {
  Locals locals;
  for (const SyntaxBody& body : loading.program->bodies) {
    for (const Block& block : body.blocks) {
      if (block.type == "local") read_local(loading, locals, block);
      if (block.type == "data" && check_data_source(loading, block))
        add(loading, locals, "data." + block.labels[0] + "." + block.labels[1],
            {.data = &block, .range = block.range()});
      if (block.type != "locals" || !check_labels(loading, block, 0, "locals")) continue;
      check_no_blocks(loading, block.body);
      for (const Attribute& a : block.body.attributes)
        add(loading, locals, a.name, {.expr = a.expr.get(), .range = body.file->range(a.name_span)});
    }
  }
  return locals;
}

/// Which names of the graph a reference needs: one, or all of its kind.
void add_needs(const Reference& r, const std::string& name, const Locals& locals, std::vector<std::string>& needs) {
  const bool data = r.root == "data";
  if (!data && r.root != "local") return;
  if (!r.name.empty() && (!data || !r.part.empty())) {
    needs.push_back(data ? "data." + r.name + "." + r.part : r.name);
    return;
  }
  for (const auto& [other, local] : locals) {
    if (other != name && (local.data != nullptr) == data) needs.push_back(other);
  }
}

void find_needs(Locals& locals) {
  for (auto& [name, local] : locals) {
    const auto references = local.data != nullptr ? references_of(local.data->body) : references_of(*local.expr);
    for (const Reference& r : references) add_needs(r, name, locals, local.needs);
  }
}

/// Reports the circle that ends the path where name was entered before; its members become unknown.
void report_cycle(Loading& loading, Locals& locals, const std::vector<std::string>& path, const std::string& name) {
  std::string text;
  bool inside = false;
  for (const std::string& step : path) {
    inside = inside || step == name;
    if (inside) text += full_name(step, locals.at(step)) + " -> ";
  }
  Local& first = locals.at(name);
  loading.error("Circular reference between locals",
                fmt::format("These need each other: {}{}.", text, full_name(name, first)),
                first.expr != nullptr ? first.expr->range() : first.range);
  for (auto step = path.rbegin(); step != path.rend(); ++step) {
    Local& member = locals.at(*step);
    member.value = Value::unknown();
    member.failed = true;
    member.state = Local::State::done;
    if (*step == name) break;
  }
}

/// What `local` and `data` stand for in a scope.
class Names {
 public:
  void add(const std::string& name, const Local& local) {
    if (local.data != nullptr) {
      data_[local.data->labels[0]][local.data->labels[1]] = local.value;
    } else {
      locals_.emplace(name, local.value);
    }
  }
  void set_in(Scope& scope) && {
    scope.set("local", Value::object(std::move(locals_)));
    if (data_.empty()) return;
    Value::Entries types;
    for (auto& [type, sources] : data_) types[type] = Value::object(std::move(sources));
    scope.set("data", Value::object(std::move(types)));
  }

 private:
  Value::Entries locals_;
  std::map<std::string, Value::Entries> data_;
};

void evaluate_one(Loading& loading, const Locals& locals, Local& local) {
  Names needed;
  for (const std::string& name : local.needs) {
    const auto it = locals.find(name);
    if (it != locals.end()) {
      needed.add(name, it->second);
      local.failed = local.failed || it->second.failed;
      continue;
    }
    std::vector<std::string> names;  // an unknown name: leave the nearest to be suggested
    for (const auto& [known, ignored] : locals) names.push_back(known);
    if (const auto near = nearest(name, names)) needed.add(*near, locals.at(*near));
  }
  auto scope = std::make_shared<Scope>(*loading.program->scope);
  std::move(needed).set_in(*scope);
  const std::size_t before = loading.diagnostics.size();
  if (local.data != nullptr) {
    local.value = read_data_source(loading, *local.data, scope);
    local.failed = local.failed || loading.diagnostics.size() > before;
    return;
  }
  Evaluation evaluation = loading.evaluation();
  local.value = evaluate(*local.expr, *scope, evaluation);
  local.failed = local.failed || loading.diagnostics.size() > before;
  if (local.sensitive) local.value = local.value.marked(Marks::sensitive());
}

/// Depth first without recursion, as chains of locals may be long.
void evaluate_from(Loading& loading, Locals& locals, const std::string& start) {
  std::vector<std::string> path = {start};
  std::vector<std::size_t> next = {0};
  while (!path.empty()) {
    Local& local = locals.at(path.back());
    if (local.state == Local::State::done) {
      path.pop_back();
      next.pop_back();
      continue;
    }
    local.state = Local::State::entered;
    if (next.back() == local.needs.size()) {
      evaluate_one(loading, locals, local);
      local.state = Local::State::done;
      continue;
    }
    const std::string need = local.needs[next.back()++];
    const auto it = locals.find(need);
    if (it == locals.end() || it->second.state == Local::State::done) continue;
    if (it->second.state == Local::State::entered) {
      report_cycle(loading, locals, path, need);
    } else {
      path.push_back(need);
      next.push_back(0);
    }
  }
}

}  // namespace

void collect_secrets(const Value& value, std::vector<std::string>& secrets) {
  if (value.marks().contains(Marks::sensitive())) {
    collect_texts(value, secrets);
    return;
  }
  if (!value.is_sensitive() || !value.is_known()) return;
  each_part(value, [&](const Value&, const Value& part) {
    collect_secrets(part, secrets);
    return true;
  });
}

std::set<std::string> evaluate_locals(Loading& loading, std::vector<std::string>& secrets) {
  Locals locals = read_locals(loading);
  find_needs(locals);
  std::set<std::string> failed;
  for (auto& [name, local] : locals) evaluate_from(loading, locals, name);
  Names names;
  for (auto& [name, local] : locals) {
    collect_secrets(local.value, secrets);
    names.add(name, local);
    if (local.failed) failed.insert(name);
  }
  std::move(names).set_in(*loading.program->scope);
  return failed;
}

}  // namespace kiln::tmpl
