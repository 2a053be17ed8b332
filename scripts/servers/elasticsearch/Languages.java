import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.lucene.analysis.Analyzer;
import org.elasticsearch.index.analysis.AnalyzerProvider;
import org.elasticsearch.index.analysis.AnalyzerScope;
import org.elasticsearch.index.analysis.PreBuiltAnalyzerProvider;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.Plugin;

/**
 * Names Lucene's language analyzers as Elasticsearch's module analysis-common
 * does, which is published nowhere but in its distribution.
 */
public final class Languages extends Plugin implements AnalysisPlugin {
    @Override
    public Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> getAnalyzers() {
        Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> all = new HashMap<>();
        add(all, "arabic", org.apache.lucene.analysis.ar.ArabicAnalyzer::new);
        add(all, "cjk", org.apache.lucene.analysis.cjk.CJKAnalyzer::new);
        add(all, "danish", org.apache.lucene.analysis.da.DanishAnalyzer::new);
        add(all, "dutch", org.apache.lucene.analysis.nl.DutchAnalyzer::new);
        add(all, "english", org.apache.lucene.analysis.en.EnglishAnalyzer::new);
        add(all, "finnish", org.apache.lucene.analysis.fi.FinnishAnalyzer::new);
        add(all, "french", org.apache.lucene.analysis.fr.FrenchAnalyzer::new);
        add(all, "german", org.apache.lucene.analysis.de.GermanAnalyzer::new);
        add(all, "hindi", org.apache.lucene.analysis.hi.HindiAnalyzer::new);
        add(all, "hungarian", org.apache.lucene.analysis.hu.HungarianAnalyzer::new);
        add(all, "italian", org.apache.lucene.analysis.it.ItalianAnalyzer::new);
        add(all, "norwegian", org.apache.lucene.analysis.no.NorwegianAnalyzer::new);
        add(all, "persian", org.apache.lucene.analysis.fa.PersianAnalyzer::new);
        add(all, "portuguese", org.apache.lucene.analysis.pt.PortugueseAnalyzer::new);
        add(all, "romanian", org.apache.lucene.analysis.ro.RomanianAnalyzer::new);
        add(all, "russian", org.apache.lucene.analysis.ru.RussianAnalyzer::new);
        add(all, "spanish", org.apache.lucene.analysis.es.SpanishAnalyzer::new);
        add(all, "swedish", org.apache.lucene.analysis.sv.SwedishAnalyzer::new);
        add(all, "turkish", org.apache.lucene.analysis.tr.TurkishAnalyzer::new);
        return all;
    }

    private static void add(Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> all, String name, Supplier<Analyzer> make) {
        // One for each index, which closes it.
        all.put(name, (index, environment, as, settings) -> new PreBuiltAnalyzerProvider(as, AnalyzerScope.INDEX, make.get()));
    }
}
