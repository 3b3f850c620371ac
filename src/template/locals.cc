#include "template/locals.h"

#include "base/text.h"
#include "template/references.h"

namespace kiln::tmpl {

namespace {

struct Local {
  const Expr* expr = nullptr;
  Range range;  // of the name
  bool sensitive = false;
  enum class State : std::uint8_t { waiting, entered, done } state = State::waiting;
  std::vector<std::string> needs;
  Value value;
};
using Locals = std::map<std::string, Local>;

void add(Loading& loading, Locals& locals, const std::string& name, Local local) {
  const auto [it, fresh] = locals.emplace(name, local);
  if (fresh) return;
  const Range& first = it->second.range;
  loading.error("Duplicate local definition",
                fmt::format("Local \"{}\" was already defined at {}:{},{}.", name, first.file, first.start.line,
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
      if (block.type != "locals" || !check_labels(loading, block, 0, "locals")) continue;
      check_no_blocks(loading, block.body);
      for (const Attribute& a : block.body.attributes)
        add(loading, locals, a.name, {.expr = a.expr.get(), .range = body.file->range(a.name_span)});
    }
  }
  return locals;
}

/// Which locals each one needs. A bare `local` needs them all.
void find_needs(Locals& locals) {
  for (auto& [name, local] : locals) {
    for (const Reference& r : references_of(*local.expr)) {
      if (r.root != "local") continue;
      if (!r.name.empty()) local.needs.push_back(r.name);
      if (!r.name.empty()) continue;
      for (const auto& [other, ignored] : locals) {
        if (other != name) local.needs.push_back(other);
      }
    }
  }
}

/// Reports the circle that ends the path where name was entered before; its members become unknown.
void report_cycle(Loading& loading, Locals& locals, const std::vector<std::string>& path, const std::string& name) {
  std::string text;
  bool inside = false;
  for (const std::string& step : path) {
    inside = inside || step == name;
    if (inside) text += "local." + step + " -> ";
  }
  Local& first = locals.at(name);
  loading.error("Circular reference between locals",
                fmt::format("These locals need each other: {}local.{}.", text, name), first.expr->range());
  for (auto step = path.rbegin(); step != path.rend(); ++step) {
    Local& member = locals.at(*step);
    member.value = Value::unknown();
    member.state = Local::State::done;
    if (*step == name) break;
  }
}

void evaluate_one(Loading& loading, Locals& locals, Local& local) {
  Value::Entries needed;
  for (const std::string& name : local.needs) {
    const auto it = locals.find(name);
    if (it != locals.end()) {
      needed[name] = it->second.value;
      continue;
    }
    std::vector<std::string> names;  // an unknown name: leave the nearest to be suggested
    for (const auto& [known, ignored] : locals) names.push_back(known);
    if (const auto near = nearest(name, names)) needed.emplace(*near, locals.at(*near).value);
  }
  Scope scope(*loading.program->scope);
  scope.set("local", Value::object(std::move(needed)));
  Evaluation evaluation = loading.evaluation();
  local.value = evaluate(*local.expr, scope, evaluation);
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

void evaluate_locals(Loading& loading, std::vector<std::string>& secrets) {
  Locals locals = read_locals(loading);
  find_needs(locals);
  Value::Entries entries;
  for (auto& [name, local] : locals) evaluate_from(loading, locals, name);
  for (auto& [name, local] : locals) {
    collect_secrets(local.value, secrets);
    entries[name] = local.value;
  }
  loading.program->scope->set("local", Value::object(std::move(entries)));
}

}  // namespace kiln::tmpl
