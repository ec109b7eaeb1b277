// MiniCnn and libtorch at the same work, in turn, in one run:
//
//   dotnet run -c Release --project tests/MiniCnn.Benchmarks -- compare                         PyTorch, in a process of its own
//   dotnet run -c Release --project tests/MiniCnn.Benchmarks -p:TorchSharp=true -- compare      TorchSharp, in this process
//
// Exit code 0: measured; 1: a peer that failed, or a file that cannot be written; 2: a command line that makes no sense; 130: stopped.
using MiniCnn.Benchmarks;

// “start” is what the comparison runs as a process of its own, so nothing but MiniCnn is loaded for it.
return args is ["start", ..] ? FirstStep.Run(args[1..]) : CompareCommand.Run(args);
