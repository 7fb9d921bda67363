import Bundle
import Cache
import Concurrency
import Files
import Kubespray
import Mirrors
import Settings
import SystemPackage

/// What a proof asks of Ansible and of pip, each once in a run. None of it needs more of the bundle than offline.yml and
/// the Python packages.
struct ProofQuestions: Sendable {
  let kubespray: KubesprayWorkshop
  let charts: ChartSource
  private let job: Job
  private let wheels: PythonWheels
  private let events: StageEvents
  private let asked = Memo<[ClusterDemand]>()
  private let resolved = Memo<[(machine: String, text: String)]>()

  init(_ job: Job, _ tools: RunTools) {
    self.job = job
    kubespray = tools.kubespray
    charts = tools.charts
    wheels = PythonWheels(job: job, kubespray: tools.kubespray, cache: tools.cache)
    events = tools.events(.prove)
  }

  /// What a cluster will ask for, for each architecture of the run.
  ///
  /// - Parameter offline: The text of the bundle's offline.yml.
  /// - Throws: What kept the question from being answered.
  func demands(_ offline: String) async throws -> [ClusterDemand] {
    try await asked.value { [self] in
      _ = try await kubespray.catalog()
      events.begin("evaluating kubespray's variables with this bundle's offline.yml")
      var demands: [ClusterDemand] = []
      for architecture in job.architectures {
        var demand = try await kubespray.demand(
          for: architecture, offline: ClosureCheck.filled(offline))
        try await addChartImages(&demand)
        demands.append(demand)
      }
      return demands
    }
  }

  /// Charts that bring images of their own name them by their public hosts.
  private func addChartImages(_ demand: inout ClusterDemand) async throws {
    for chart in try await kubespray.catalog().charts where !chart.hasOwnImages {
      guard let asked = demand.catalog.charts.first(where: { $0.name == chart.name }),
        let fetched = try? await charts.chart(chart)
      else { continue }
      for image in fetched.images {
        demand.add(image: image.description, of: asked)
      }
    }
  }

  /// For which Pythons kubespray's requirements cannot be installed from the index in the bundle alone, and pip's
  /// own reason.
  ///
  /// - Throws: What kept pip from answering.
  func pythonFailures() async throws -> [(machine: String, text: String)] {
    try await resolved.value { [self] in
      let folder = try currentFolder().pushing(job.configuration.outputs).appending("pypi")
      return try await index().asking(index: folder).failures()
    }
  }

  /// The Pythons that kubespray's requirements are carried for, such as `3.12`.
  ///
  /// - Throws: What kept the source or a Python from being found.
  func pythonNames() async throws -> [String] { try await index().pythonNames }

  private func index() async throws -> PythonIndex { try await wheels.index(requiring: .kubespray) }
}
