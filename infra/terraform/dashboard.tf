# The dashboard of a stage: input, results, queues, failures and consumption.

locals {
  # The namespace that the functions write their own metrics to, in the embedded metric format. Their READMEs say what each means.
  own_metrics = "Perennial"

  # Each list is a row of graphs: metrics by the axis that they are drawn on, `own` and `own_right` by the names that a function gives them.
  rows = [
    [
      { title = "Events", own = { of = "ingest", metrics = ["EventsAccepted", "EventsRejected"] }, own_right = { of = "score", metrics = ["EventsCounted", "EventsDuplicate"] } },
      { title = "People", own = { of = "score", metrics = ["PeopleWritten", "PeopleFailed", "PeopleReshaped", "Conflicts", "MergesRefused"] } },
      { title = "Timers", own = { of = "sweep", metrics = ["TicksSent", "TicksUnsent"] }, own_right = { of = "score", metrics = ["ActionsPerformed"] } },
    ],
    [
      { title = "Messages", own = { of = "deliver", metrics = ["MessagesSent", "MessagesWithheld", "MessagesPaused", "MessagesRepeated"] } },
      { title = "Delayed and failed messages", own = { of = "deliver", metrics = ["MessagesDeferred", "MessagesOverdue", "MessagesExpired", "MessagesFailed", "MessagesUnknown", "MessagesWaiting"] } },
      { title = "Mail events", own = { of = "deliver", metrics = ["MailEvents"] }, right = local.reputation },
    ],
    [
      { title = "Accounts", own = { of = "rollup", metrics = ["AccountsSeen", "AccountsWritten", "AccountsUnchanged", "AccountsFailed", "CrmUpdates"] } },
      { title = "People woken by accounts", own = { of = "rollup", metrics = ["PeopleWoken", "EntriesRenewed", "EntriesUnreadable", "PeopleMeant"] } },
      { title = "Files and rows imported", own = { of = "import", metrics = ["FilesImported", "FilesRefused"] }, own_right = { of = "import", metrics = ["RowsImported", "RowsRejected"] } },
      { title = "Traits standardised, reports made", own = { of = "ingest", metrics = ["TraitsChanged", "TraitsDropped"] }, own_right = { of = "report", metrics = ["ReportsMade"] } },
    ],
    [
      { title = "Oldest message, seconds", left = local.oldest_message },
      { title = "Messages waiting", left = local.messages_waiting },
      { title = "Dead letters", left = local.dead_letters },
    ],
    [
      { title = "Calls", left = local.calls.Invocations },
      { title = "Duration, 99th percentile", left = local.calls.Duration },
      { title = "Errors and throttles", left = local.failures.Errors, right = local.failures.Throttles },
      { title = "Sign-ins to the dashboard", own = { of = "dashboard", metrics = ["SignedIn"] }, own_right = { of = "dashboard", metrics = ["SignInsRefused", "SignInsFailed"] } },
    ],
    [
      { title = "Table, units consumed", left = local.consumed },
      { title = "Configurations compiled", left = local.configs_compiled },
      { title = "Concurrent executions", left = local.calls.ConcurrentExecutions },
    ],
  ]

  # Rates, not counts: SES's own figures for the whole account.
  reputation = [for name, label in { Bounce = "bounces", Complaint = "complaints" } :
    ["AWS/SES", "Reputation.${name}Rate", { label = "${label}, share", period = 60 * 60, stat = "Maximum", yAxis = "right" }]
  ]
  oldest_message = [for step in local.flow :
    ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", aws_sqs_queue.queue[step.queue].name, { label = step.queue, stat = "Maximum" }]
  ]
  messages_waiting = [for step in local.flow :
    ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", aws_sqs_queue.queue[step.queue].name, { label = step.queue, stat = "Maximum" }]
  ]
  dead_letters = [for name in concat(local.flow[*].queue, ["schedules"]) :
    ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", aws_sqs_queue.dlq[name].name, { label = name, stat = "Maximum" }]
  ]
  calls = { for metric, stat in { Invocations = "Sum", Duration = "p99", ConcurrentExecutions = "Maximum" } : metric => [
    for name in local.function_names : ["AWS/Lambda", metric, "FunctionName", local.functions[name].name, { label = name, stat = stat }]
  ] }
  failures = { for metric, options in { Errors = {}, Throttles = { yAxis = "right" } } : metric => [
    for name in local.function_names :
    ["AWS/Lambda", metric, "FunctionName", local.functions[name].name, merge({ label = "${name} ${lower(metric)}", stat = "Sum" }, options)]
  ] }
  configs_compiled = [for name in local.function_names :
    [local.own_metrics, "ConfigsCompiled", "function", local.functions[name].name, { label = name, stat = "Sum" }]
  ]
  consumed = [for name in ["Read", "Write"] :
    ["AWS/DynamoDB", "Consumed${name}CapacityUnits", "TableName", aws_dynamodb_table.people.name, { label = lower(name), stat = "Sum" }]
  ]

  # The rows as CloudWatch wants them: columns of which there are 24, below the alarms.
  columns    = 24
  row_height = 6
  top        = 4
  empty      = { own = { metrics = [] }, own_right = { metrics = [] }, left = [], right = [] }
  graphs = flatten([for row, graphs in local.rows : [
    for column, graph in [for graph in graphs : merge(local.empty, graph)] : {
      type   = "metric"
      width  = floor(local.columns / length(graphs))
      height = local.row_height
      x      = column * floor(local.columns / length(graphs))
      y      = local.top + row * local.row_height
      properties = {
        view   = "timeSeries"
        title  = graph.title
        region = local.region
        yAxis  = { left = { min = 0 } }
        metrics = concat(
          [for metric in graph.own.metrics : [local.own_metrics, metric, "function", local.functions[graph.own.of].name, { stat = "Sum" }]],
          graph.left,
          [for metric in graph.own_right.metrics :
            [local.own_metrics, metric, "function", local.functions[graph.own_right.of].name, { stat = "Sum", yAxis = "right" }]
          ],
          graph.right,
        )
      }
    }
  ]])
}

resource "aws_cloudwatch_dashboard" "stage" {
  dashboard_name = local.prefix
  dashboard_body = jsonencode({
    start = "-PT12H"
    widgets = concat([{
      type   = "alarm"
      width  = local.columns
      height = local.top
      x      = 0
      y      = 0
      properties = {
        title  = "Alarms"
        alarms = [for alarm in local.alarms : aws_cloudwatch_metric_alarm.alarm[alarm.name].arn]
      }
    }], local.graphs)
  })
}
