// A list as the API tells it: filtered, ordered, cut into pages, with only the fields that were
// asked for. The same for every kind of thing that is whole in memory.

import Notation

struct Listing: Sendable {
    static let pageSizeMax = 1000
    static let pageSizeUsual = 100

    /// What every list takes.
    static let parameters =
        [
            Parameter(
                "filter", .object(["type": "string", "maxLength": 2000]),
                "Terms joined by AND: `status=healthy AND environment=(staging|production)`; "
                    + "compare with = != : (contains) > >= < <=."),
            Parameter(
                "orderBy", .object(["type": "string", "maxLength": 200]),
                "A field, with ` desc` behind it for the other direction; `name` without it."),
            Parameter(
                "fields", .object(["type": "string", "maxLength": 2000]),
                "Only these fields of each item, by commas: `metadata.name,status.status`."),
        ] + pageParameters

    static let pageParameters = [
        Parameter(
            "pageSize", .object(["type": "integer", "minimum": 0]),
            "Items a page; 100 without it, at most 1000 whatever is asked for."),
        Parameter(
            "pageToken", .object(["type": "string", "minLength": 1, "maxLength": 4096]),
            "`next_page_token` of the page before."),
    ]

    let filter: FilterExpression
    let order: [String]
    let isDescending: Bool
    let fields: [[String]]
    let pageSize: Int
    private let mark: Pager.Mark?
    private let question: String
    private let pager: Pager

    /// - Parameters:
    ///   - question: whose list it is; pages of one are no pages of another.
    ///   - schema: the name of an item's.
    ///   - isCut: pages come from elsewhere, and so do their tokens.
    init(
        _ query: QueryValues, _ pager: Pager, question: String, of schema: String,
        isCut: Bool = false
    ) throws(Problem) {
        self.pager = pager
        filter =
            try query.text("filter").map { text throws(Problem) in
                try FilterExpression(text)
            } ?? .empty
        let words = (query.text("orderBy") ?? "name").split(separator: " ")
        guard let field = words.first, words.count <= 2, field.utf8.count <= 200,
            words.count == 1 || ["asc", "desc"].contains(words[1].lowercased())
        else {
            throw Problem(
                status: 400, code: "INVALID_PARAMETER",
                detail: "orderBy is a field, with ' desc' behind it for the other direction")
        }
        order = Spelling.snakeCase(String(field)).split(separator: ".").map(String.init)
        isDescending = words.count == 2 && words[1].lowercased() == "desc"
        fields = (query.text("fields") ?? "").split(separator: ",").map { path in
            Spelling.snakeCase(String(path)).split(separator: ".").map(String.init)
        }
        try Self.check(ListedFields(of: schema), filter, order, fields)
        pageSize = Self.size(query)
        let parts = [question, query.text("filter") ?? "", query.text("orderBy") ?? ""]
        self.question = parts.joined(separator: "\n")
        mark = try (isCut ? nil : query.text("pageToken")).map { text throws(Problem) in
            try pager.mark(text, question: parts.joined(separator: "\n"))
        }
    }

    private static func check(
        _ known: ListedFields, _ filter: FilterExpression, _ order: [String], _ fields: [[String]]
    ) throws(Problem) {
        // Whatever it has, each item has a name to be ordered by.
        if order != ["name"], !known.find(order) {
            throw known.refusal(order, in: "orderBy", isWhole: false)
        }
        for path in filter.paths where !known.find(path) {
            throw known.refusal(path, in: "filter", isWhole: false)
        }
        for path in fields where !known.have(path) {
            throw known.refusal(path, in: "fields", isWhole: true)
        }
    }

    static func size(_ query: QueryValues) -> Int {
        guard let asked = query.whole("pageSize"), asked > 0 else { return pageSizeUsual }
        return min(asked, pageSizeMax)
    }

    /// The page as an answer's body: `{<name>: […], "next_page_token": "…", "total_size": n}`.
    ///
    /// - Parameter render: asked for no more items than must be looked at.
    func page<Item>(
        _ items: [Item], as name: String, id: (Item) -> String, render: (Item) -> JSONValue
    ) -> JSONValue {
        let page = cut(items, id, render)
        return .object([
            name: .array(page.entries.map { masked($0.value ?? render($0.item)) }),
            "next_page_token": .string(page.next), "total_size": .count(page.total),
        ])
    }

    /// The same of items that are a page already.
    func page<Item>(
        _ items: [Item], as name: String, next: String?, total: Int, render: (Item) -> JSONValue
    ) -> JSONValue {
        .object([
            name: .array(items.map { masked(render($0)) }),
            "next_page_token": .string(next ?? ""), "total_size": .count(total),
        ])
    }

    /// No item is cut down to some of its fields.
    var tellsWhole: Bool { fields.isEmpty }

    /// The same as text, from items that are text already.
    func pageText<Item>(
        _ items: [Item], as name: String, id: (Item) -> String, render: (Item) -> JSONValue,
        text: (Item) -> String
    ) -> String {
        let page = cut(items, id, render)
        var result = "{\"\(name)\":["
        for (index, entry) in page.entries.enumerated() {
            if index > 0 { result += "," }
            result += text(entry.item)
        }
        let token = JSONValue.string(page.next).compact
        return result + "],\"next_page_token\":\(token),\"total_size\":\(page.total)}"
    }

    private func cut<Item>(
        _ items: [Item], _ id: (Item) -> String, _ render: (Item) -> JSONValue
    ) -> Cut<Item> {
        var found = items.compactMap { item in
            entry(item, id(item), render)
        }.sorted { isBefore($0.mark, $1.mark) }
        let total = found.count
        if let mark { found.removeAll { !isBefore(mark, $0.mark) } }
        let page = found.prefix(pageSize)
        let next = page.count < found.count ? page.last : nil
        return Cut(
            entries: page,
            next: next.map { pager.token(after: $0.mark, question: question) } ?? "", total: total)
    }

    private struct Cut<Item> {
        var entries: ArraySlice<Entry<Item>>
        var next: String
        var total: Int
    }

    private struct Entry<Item> {
        var mark: Pager.Mark
        var item: Item
        /// Nil until it must be looked at.
        var value: JSONValue?
    }

    /// Nil when the filter leaves it out.
    private func entry<Item>(
        _ item: Item, _ id: String, _ render: (Item) -> JSONValue
    ) -> Entry<Item>? {
        if order == ["name"], filter.isEmpty {
            return Entry(mark: .init(value: .string(id), name: id), item: item)
        }
        let value = render(item)
        guard filter.matches(value) else { return nil }
        let key = order == ["name"] ? .string(id) : FilterExpression.value(at: order, in: value)
        return Entry(mark: .init(value: key ?? .null, name: id), item: item, value: value)
    }

    private func isBefore(_ left: Pager.Mark, _ right: Pager.Mark) -> Bool {
        switch Self.compared(left.value, right.value) {
        case 0: left.name < right.name
        case let sign: (sign < 0) != isDescending
        }
    }

    /// Numbers by size, everything else by text; what is missing comes first.
    private static func compared(_ left: JSONValue, _ right: JSONValue) -> Int {
        if left == right { return 0 }
        if left == .null { return -1 }
        if right == .null { return 1 }
        if let a = left.number, let b = right.number { return a < b ? -1 : a > b ? 1 : 0 }
        let (a, b) = (left.text ?? left.compact, right.text ?? right.compact)
        return a < b ? -1 : a > b ? 1 : 0
    }

    private func masked(_ item: JSONValue) -> JSONValue {
        guard !fields.isEmpty else { return item }
        return fields.reduce(.object([JSONValue.Member]())) { result, path in
            guard let value = item[path: path] else { return result }
            return result.setting(path: path, to: value)
        }
    }
}
