import Concurrency
import Console
import Foundation
import Settings
import SystemPackage
import TestServer
import Testing

@testable import DownloadAll

/// Every kind of transfer meets every kind of fault. What came of it is written down in docs/faults.md, by `make faults`.
@Suite(.timeLimit(.minutes(10))) struct FaultMatrixTests {
  /// A transfer, a fault, and what came of it.
  private struct Cell: Sendable {
    let kind: TransferKind
    let fault: TransferFault
    var problems: [Problem] = []
    var found = FoundContent.nothing
    var name = ""
    /// Bytes that were sent, over all answers.
    var sent: Int64 = 0
    var size: Int64 = 0

    /// The word for it in the table.
    var word: String {
      if let problem = problems.first { return "refused: \(problem.kind)" }
      // How much has arrived before a reset is for the network to decide.
      if fault == .reset { return kind.isResumed ? "goes on" : "again" }
      return sent > size ? "again" : "goes on"
    }
  }

  private static func run(
    _ kind: TransferKind, _ fault: TransferFault, _ secure: SecureRedirect
  ) async throws -> Cell {
    let transfer = try kind.transfer(["CURL_CA_BUNDLE": secure.certificate.string])
    let (count, gate, size) = (RequestCount(), TestServer.Gate(), transfer.size)
    defer { gate.open() }
    transfer.inject { request, usual in
      guard request.method == "GET" else { return usual }
      return fault.answer(count.next(), request, usual, size: size, gate: gate, secure: secure.url)
    }
    var cell = Cell(kind: kind, fault: fault)
    cell.problems = try await transfer.run { configuration in
      configuration.transfer.retries = 2
      if fault == .stall { configuration.transfer.stallTimeout = .seconds(2) }
    }
    cell.found = transfer.found()
    cell.name = transfer.name
    cell.size = size
    cell.sent = transfer.server.bytesSent(transfer.path)
    return cell
  }

  @Test func nothingUnprovedAppearsAndEveryMessageNamesTheThing() async throws {
    let wanted = TransferKind.allCases.flatMap { kind in
      TransferFault.allCases.filter(kind.canHave).map { (kind, $0) }
    }
    #expect(wanted.count >= 138)
    let secure = try SecureRedirect()
    var cells: [TransferFault: [TransferKind: Cell]] = [:]
    await forEachConcurrently(wanted, limit: 24) { kind, fault in
      await Result { try await Self.run(kind, fault, secure) }
    } onResult: { pair, result in
      do {
        let cell = try result.get()
        check(cell)
        cells[cell.fault, default: [:]][cell.kind] = cell
      } catch {
        Issue.record("\(pair.0.rawValue), \(pair.1.rawValue): \(error)")
      }
    }
    try compare(table(cells))
  }

  private func check(_ cell: Cell) {
    let place: Comment = "\(cell.kind.rawValue), \(cell.fault.rawValue): \(cell.problems)"
    #expect(cell.found == (cell.problems.isEmpty ? .right : .nothing), place)
    #expect(cell.problems.isEmpty || cell.problems.contains { $0.description.contains(cell.name) }, place)
    #expect(!cell.fault.lasts || !cell.problems.isEmpty, place)
    if cell.fault == .redirectToPlain {
      #expect(cell.problems.contains { $0.description.contains("from https to an unsafe address") }, place)
    }
    // What a digest proves and is asked for again arrives in the end.
    if cell.kind.isResumed, !cell.fault.lasts { #expect(cell.problems.isEmpty, place) }
  }

  private func table(_ cells: [TransferFault: [TransferKind: Cell]]) -> String {
    let kinds = TransferKind.allCases
    var lines = [
      "| what goes wrong | \(kinds.map(\.rawValue).joined(separator: " | ")) |",
      "|---|\(String(repeating: "---|", count: kinds.count))",
    ]
    for fault in TransferFault.allCases {
      let words = kinds.map { $0.canHave(fault) ? cells[fault]?[$0]?.word ?? "?" : "–" }
      lines.append("| \(fault.rawValue) | \(words.joined(separator: " | ")) |")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/faults.md")

  /// The text of the file up to the table is written by hand.
  private func compare(_ table: String) throws {
    let text = try String(contentsOf: Self.file, encoding: .utf8)
    let head = text.components(separatedBy: "| what goes wrong |")[0]
    if ProcessInfo.processInfo.environment["WRITE_DOCS"] != nil {
      try (head + table).write(to: Self.file, atomically: true, encoding: .utf8)
    } else {
      #expect(text == head + table, "docs/faults.md is not up to date: make faults")
    }
  }
}
