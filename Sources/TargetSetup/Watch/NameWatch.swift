import Host
import Synchronization
import SystemPackage

/// What the nodes ask a name server for that knows no name at all: in a network without internet nothing else is needed, and
/// each name is something that wants to go outside.
public struct NameWatch: Sendable, Encodable {
  /// A name that was asked for.
  public struct Name: Sendable, Encodable, Equatable {
    /// The name.
    public let name: String
    /// Who asked for it, in the order of their first questions.
    public internal(set) var clients: [String]
    /// How often it was asked for, by all of them and for all types.
    public internal(set) var count: Int
  }

  /// The names, in the order of the first questions.
  public private(set) var names: [Name] = []
  private var places: [String: Int] = [:]

  init() {}

  /// Notes a question.
  ///
  /// - Returns: The name, if nobody has asked for it before.
  mutating func add(_ question: NameQuestion, from client: String) -> Name? {
    guard !question.isReverse, !question.name.isEmpty else { return nil }
    if let place = places[question.name] {
      names[place].count += 1
      if !names[place].clients.contains(client) { names[place].clients.append(client) }
      return nil
    }
    let name = Name(name: question.name, clients: [client], count: 1)
    places[question.name] = names.count
    names.append(name)
    return name
  }

  /// Answers every question with "there is no such name", until the task is cancelled.
  ///
  /// - Parameters:
  ///   - address: Of this host; nodes have it as their name server.
  ///   - port: The port.
  ///   - show: Hears of every question; of the name, if it is a new one.
  /// - Throws: ``StepError`` when nothing can listen there.
  public static func run(
    address: String, port: UInt16 = 53, show: @escaping @Sendable (NameWatch, Name?) -> Void
  ) async throws {
    let socket: DatagramSocket
    do {
      socket = try DatagramSocket(address: address, port: port)
    } catch {
      let reason = error == .addressInUse ? "another name server listens there" : "\(error)"
      throw StepError(
        "no name server can be started at \(address), port \(port) (UDP): \(reason)",
        .tryCommand("ss -lunp 'sport = :\(port)'"))
    }
    let watch = SharedNames()
    await socket.serve { datagram, client in
      guard let question = NameQuestion(datagram) else { return nil }
      watch.state.withLock { state in
        let found = state.add(question, from: client)
        show(state, found)
      }
      return question.denial
    }
  }
}

/// Questions come one after the other, on a thread of their own.
private final class SharedNames: Sendable {
  let state = Mutex(NameWatch())
}
