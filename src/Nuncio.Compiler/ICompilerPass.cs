namespace Nuncio.Compiler;

/// <summary>One step from resources to messages. It reads what earlier passes left in the context and adds its own part.</summary>
public interface ICompilerPass
{
    /// <summary>Runs the step. A user's mistake becomes a finding; nothing is thrown for it.</summary>
    void Run(CompilerContext context);
}
